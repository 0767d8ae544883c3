/** The browser's own, on refused requests, password fields, and fields that a test filled before the page was drawn. */
const REMARK = /^(Failed to load resource|\[DOM\]|Autofocus processing was blocked)/;

/** Whether a page wrote that to its console, and not the browser. */
export function isComplaint(text: string): boolean {
  return !REMARK.test(text);
}
