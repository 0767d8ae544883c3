/** A throw comes out as a rejection. */
export async function attempt<T>(ask: () => Promise<T>): Promise<T> {
  return ask();
}
