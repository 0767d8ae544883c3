import type { ListedSession } from 'nestjs-idle-session';

// The server does not know where the person is: local-times.js says it in their time.
const TIME = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'medium',
  timeStyle: 'short',
  timeZone: 'UTC',
});

/** What the page shows of a session. */
export function deviceOf({ ref, startedAt, lastActivityAt, current, description }: ListedSession) {
  return {
    ref,
    current,
    browser: description.browser ?? 'Unknown browser',
    startedAt: timeOf(startedAt),
    lastActivityAt: timeOf(lastActivityAt),
  };
}

function timeOf(at: number) {
  return { datetime: new Date(at).toISOString(), inWords: `${TIME.format(at)} UTC` };
}
