/** The same string on its own: one that was cut from another keeps all of that in memory. For keys that stay. */
export function flat(text: string): string {
  return Buffer.from(text).toString();
}
