/** How often the title is corrected within a second: a page that insists on its own would keep the browser busy. */
const CORRECTIONS = 9;
const SECOND_MS = 1000;

/** Shows a title instead of the page's, in all that a person sees of a tab from another one. */
export class PageTitle {
  /** Undefined while the page has its own. */
  #shown: string | undefined;
  /** What the page wants it to be. */
  #own = '';
  #show: ((own: string) => string) | undefined;
  #corrections = 0;
  readonly #observer = new MutationObserver(() => this.#correct());

  /** @param title made of the page's own; undefined: the page gets that back */
  set(title: ((own: string) => string) | undefined): void {
    const { title: current } = document;
    // What the page has changed since; it may have made it of what is shown.
    if (this.#shown === undefined) this.#own = current;
    else if (current !== this.#shown) this.#own = current.replace(this.#shown, () => this.#own);
    this.#show = title;
    const next = title ? title(this.#own) : this.#own;
    if (next !== current) document.title = next;
    // As the browser has it, with other spaces.
    this.#shown = title ? document.title : undefined;
    if (!title) return this.#observer.disconnect();
    // All of the document: an app may take its head out, or put another there.
    this.#observer.observe(document, { childList: true, subtree: true, characterData: true });
  }

  #correct(): void {
    if (!this.#show || document.title === this.#shown) return;
    if (this.#corrections === 0) {
      setTimeout(() => {
        this.#corrections = 0;
        this.#correct();
      }, SECOND_MS);
    }
    if (this.#corrections++ < CORRECTIONS) this.set(this.#show);
  }
}
