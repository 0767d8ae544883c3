/** Gives the page styles of the dialog. The page keeps nothing of a dialog that is gone. */
export class PageStyle {
  readonly #sheet = new CSSStyleSheet();
  #shown = '';

  /** @param style empty: the page has none */
  set(style: string): void {
    if (style === this.#shown) return;
    this.#sheet.replaceSync((this.#shown = style));
    const others = document.adoptedStyleSheets.filter((sheet) => sheet !== this.#sheet);
    document.adoptedStyleSheets = style ? [...others, this.#sheet] : others;
  }
}
