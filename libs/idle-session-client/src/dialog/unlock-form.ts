/** What in the page's own form, which unlocks the session, is to have the focus. */
export function firstFieldOf(host: HTMLElement): HTMLElement | null {
  const within = (selector: string) => host.querySelector<HTMLElement>(`[slot=unlock] ${selector}`);
  return (
    within('[autofocus]') ??
    within(':is(input:not([type=hidden], [readonly], [hidden]), select, button)')
  );
}

/** Whether the person writes in the form, and does not press a button of it. */
export function isInField(target: EventTarget | null): boolean {
  const field = target as Element;
  return field.closest('[slot=unlock]') !== null && !field.matches('button, [type=submit]');
}

/** Empties the form, so that nobody finds a password there. */
export function clearForms(host: HTMLElement): void {
  // A button named `reset` hides the method.
  for (const form of host.querySelectorAll('form')) HTMLFormElement.prototype.reset.call(form);
  // Not in a form of the host, or given back as its default by a framework.
  for (const field of host.querySelectorAll<HTMLInputElement>('[type=password]')) field.value = '';
}
