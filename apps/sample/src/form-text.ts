/** A form field is whatever was sent: it may be missing, or a list. */
export function formText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
