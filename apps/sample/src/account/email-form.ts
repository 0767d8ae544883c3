import { formText } from '../form-text.js';

export interface EmailForm {
  readonly email?: unknown;
}

/** RFC 5321, 4.5.3.1.3: a path of 256 characters, with its angle brackets. */
const MAXIMUM_LENGTH = 254;

export function readEmail(form: EmailForm = {}): string {
  return formText(form.email).trim();
}

/** What is wrong with it. Whether it is the person's, only a mail to it can tell. */
export function checkEmail(email: string): string | undefined {
  if (!email) return 'Enter your new e-mail address';
  return email.length <= MAXIMUM_LENGTH && /^[^\s@]+@[^\s@]+$/.test(email)
    ? undefined
    : 'Enter the e-mail address like name@example.com';
}
