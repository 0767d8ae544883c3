/** Shows the dialog to assistive technology within what other dialogs hide from it, which is all beside themselves. */
export class PageExposure {
  readonly #hidden = new Set<Element>();

  show(host: HTMLElement): void {
    for (let at: Node | null = host; at; at = at instanceof ShadowRoot ? at.host : at.parentNode) {
      if (!(at instanceof Element) || at.ariaHidden !== 'true') continue;
      // It means what none means, and tells later what nobody has changed meanwhile.
      at.ariaHidden = '';
      this.#hidden.add(at);
    }
  }

  giveBack(): void {
    for (const element of this.#hidden) if (element.ariaHidden === '') element.ariaHidden = 'true';
    this.#hidden.clear();
  }
}
