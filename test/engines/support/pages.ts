const page = (title: string, body: string) =>
  `<!doctype html><html lang="en"><title>${title}</title><main><h1>${title}</h1>${body}</main>`;

const CLIENT = '<script type="module" src="/idle-session/client.js"></script>';

/** Turns when the other tab says so: what a driver runs in a page passes for a person's doing in some browsers. */
const CAROUSEL = `
  const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  new BroadcastChannel('carousel').onmessage = async () => {
    const { session } = document.querySelector('idle-session-dialog');
    session.check();
    await pause(300);
    for (const slide of document.querySelectorAll('input')) {
      slide.click();
      document.querySelector('textarea').focus();
      document.execCommand('insertText', false, 'a');
      await pause(300);
    }
    // Would tell the server of activity that it does not know yet.
    session.check();
    await pause(300);
    await fetch('/turned');
  };`;

/** Asks the server when another tab says so, for the same reason. */
const CHECK_WHEN_TOLD = `
  new BroadcastChannel('check').onmessage = () =>
    document.querySelector('idle-session-dialog').session.check();`;

/** With a field in an iframe, two shadow roots below the page. */
const FRAMING = `
  let host = document.body;
  for (let depth = 0; depth < 2; depth += 1) {
    const child = host.appendChild(document.createElement('div'));
    host = child.attachShadow({ mode: 'open' });
  }
  const frame = document.createElement('iframe');
  frame.srcdoc = '<textarea></textarea>';
  frame.style.cssText = 'position: fixed; inset: 0 auto auto 0';
  frame.onload = () => {
    window.field = frame.contentDocument.querySelector('textarea');
    field.style.cssText = 'width: 200px; height: 120px';
  };
  host.append(frame);`;

const FIELDS = `<canvas width="200" height="200"></canvas>
  <label><input type="radio">Choice</label> <button>Open</button>`;

const DESK = `
  document.querySelector('canvas').onpointerdown = (event) => event.preventDefault();
  document.querySelector('button').onclick = () => {
    window.popup = open('about:blank', '', 'popup,width=300,height=200');
    popup.document.body.appendChild(popup.document.createElement('textarea')).focus();
  };`;

/** Hands on what the server says, but for one address, of which it keeps the first response. */
const WORKER = `
  addEventListener('install', () => skipWaiting());
  addEventListener('activate', (event) => event.waitUntil(clients.claim()));
  let kept;
  addEventListener('fetch', (event) => {
    const { request } = event;
    if (!request.url.endsWith('?keep')) return event.respondWith(fetch(request));
    kept ??= fetch(request);
    event.respondWith(kept.then((response) => response.clone()));
  });`;

const SLIDES = '<input type="radio" name="slide"> '.repeat(3);

/** Pages beside those of the sample app, by their paths. None says anything of caches, so that a browser may keep it. */
export const PAGES: Readonly<Record<string, readonly [type: string, text: string]>> = {
  '/kept': ['html', page('Kept', CLIENT)],
  '/other': ['html', page('Another page', '')],
  '/carousel': [
    'html',
    page('Carousel', `${SLIDES}<textarea></textarea>${CLIENT}<script src="/carousel.js"></script>`),
  ],
  '/carousel.js': ['js', CAROUSEL],
  '/desk': ['html', page('Desk', `${FIELDS}${CLIENT}<script src="/desk.js"></script>`)],
  '/desk.js': ['js', DESK],
  '/framing': ['html', page('Framing', `${CLIENT}<script src="/framing.js"></script>`)],
  '/framing.js': ['js', FRAMING + CHECK_WHEN_TOLD],
  '/worked': ['html', page('Behind a worker', CLIENT)],
  '/worker.js': ['js', WORKER],
};
