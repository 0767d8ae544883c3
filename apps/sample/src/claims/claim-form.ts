export const KINDS = [
  'Water damage',
  'Fire or smoke',
  'Theft or burglary',
  'Storm or hail',
  'Vehicle damage',
  'Something else',
] as const;

const FIELDS = ['kind', 'date', 'time', 'place', 'costs', 'witnesses', 'account'] as const;

type Field = (typeof FIELDS)[number];

/** What was typed, right or wrong: the form is shown again with it. */
export type ClaimValues = Record<Field, string>;
export type ClaimErrors = Partial<Record<Field, string>>;

/** A form body is whatever was sent: fields may be missing, or lists. */
export function readClaim(body: unknown): ClaimValues {
  const sent = Object(body) as Record<string, unknown>;
  const entries = FIELDS.map((field) => {
    const value = sent[field];
    return [field, typeof value === 'string' ? value.trim() : ''];
  });
  return Object.fromEntries(entries) as ClaimValues;
}

/** What is wrong, in the order of the form. */
export function checkClaim(claim: ClaimValues): ClaimErrors {
  const errors: ClaimErrors = {};
  if (!KINDS.some((kind) => kind === claim.kind)) errors.kind = 'Choose what happened';
  if (!isDate(claim.date)) errors.date = 'Enter the day it happened';
  else if (claim.date > latestToday())
    errors.date = 'The day it happened must be today or in the past';
  if (claim.time && !/^([01]\d|2[0-3]):[0-5]\d/.test(claim.time)) {
    errors.time = 'Enter the time like 17:30, or leave it empty';
  }
  if (!claim.place) errors.place = 'Enter where it happened';
  if (claim.costs && !/^\d{1,9}([.,]\d{1,2})?$/.test(claim.costs)) {
    errors.costs = 'Enter the costs as a number, like 1250 or 1250.50';
  }
  if (!claim.account) errors.account = 'Tell us what happened in your own words';
  return errors;
}

/** The newest date that is today anywhere: nobody is refused for living ahead of the server. */
function latestToday(): string {
  return new Date(Date.now() + 14 * 3_600_000).toISOString().slice(0, 10);
}

function isDate(value: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(value) && !Number.isNaN(Date.parse(value));
}
