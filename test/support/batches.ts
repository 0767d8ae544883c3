/** Does it for each, so few at a time that a busy machine does each within its time limit, too. */
export async function inBatches<T>(
  all: readonly T[],
  act: (one: T) => PromiseLike<unknown>,
): Promise<void> {
  for (let done = 0; done < all.length; done += 100)
    await Promise.all(all.slice(done, done + 100).map(act));
}
