/** The little of hbs that is used here; it brings no types of its own. */
declare module 'hbs' {
  const hbs: { registerPartials(directory: string): void };
  export default hbs;
}
