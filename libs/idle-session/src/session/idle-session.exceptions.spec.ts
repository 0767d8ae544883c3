import { describe, expect, it } from '@jest/globals';
import {
  SessionConfirmationRequiredException,
  SessionExpiredException,
  SessionLockedException,
  StorageUnavailableException,
  TooManySessionsException,
} from './idle-session.exceptions.js';

describe('What a GraphQL client or a log is told of a refusal', () => {
  it.each([
    new SessionExpiredException('idle'),
    new SessionLockedException(),
    new SessionConfirmationRequiredException(300_000),
    new TooManySessionsException(3),
    new StorageUnavailableException(new Error('on purpose')),
  ])('is the sentence for the person: $name', (exception) => {
    const { detail } = exception.getResponse() as { detail: string };
    expect(exception.message).toBe(detail);
  });
});
