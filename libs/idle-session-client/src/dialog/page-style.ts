/** Gives the page styles of the dialog. The page keeps nothing of a dialog that is gone. */
export class PageStyle {
  readonly #sheet = new CSSStyleSheet();
  #shown = '';

  /** @param style empty: the page has none */
  set(style: string): void {
    const sheets = document.adoptedStyleSheets;
    if (style !== this.#shown) this.#sheet.replaceSync((this.#shown = style));
    if (sheets.includes(this.#sheet) === !style)
      document.adoptedStyleSheets = style
        ? [...sheets, this.#sheet]
        : sheets.filter((sheet) => sheet !== this.#sheet);
  }
}
