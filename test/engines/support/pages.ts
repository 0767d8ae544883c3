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
};
