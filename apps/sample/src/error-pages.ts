import { HttpStatus } from '@nestjs/common';

/** What happened, and what the person can do next. */
export interface ErrorPage {
  readonly title: string;
  readonly text: string;
}

const PAGES: Record<number, ErrorPage> = {
  [HttpStatus.BAD_REQUEST]: {
    title: 'We could not read that',
    text: 'Something was missing or damaged on the way. Go back and send it again. If you followed a link, start from the overview.',
  },
  [HttpStatus.FORBIDDEN]: {
    title: 'We did not accept that',
    text: 'It came from another site. If you want to do it, start from the overview.',
  },
  [HttpStatus.NOT_FOUND]: {
    title: 'Page not found',
    text: 'If you typed the address, check that it is right. If you followed a link, start from the overview.',
  },
  [HttpStatus.PAYLOAD_TOO_LARGE]: {
    title: 'That is too long for us',
    text: 'We did not save it. Go back, shorten what you wrote, and send it again.',
  },
  [HttpStatus.INTERNAL_SERVER_ERROR]: {
    title: 'Something went wrong on our side',
    text: 'Wait a little, then try again. If you were sending something, look in the overview whether we have it before you send it again.',
  },
  [HttpStatus.SERVICE_UNAVAILABLE]: {
    title: 'We will be right back',
    text: 'We cannot check who you are at the moment. Nobody signed you out: wait a little, then try again. If you were sending something, go back and send it again.',
  },
};

/** Undefined for what no person meets in the desk. */
export function errorPageFor(status: number): ErrorPage | undefined {
  return PAGES[status];
}
