// Says that entries are kept, where they are: drafts need scripts, and a page that came over https or from this machine.
if (isSecureContext) {
  for (const element of document.querySelectorAll('[data-if-kept]')) {
    const text = element.getAttribute('data-if-kept') ?? '';
    if (element.localName === 'idle-session-dialog') element.setAttribute('text', text);
    else element.textContent = text;
  }
}
