import type { Words } from './words.js';

export const words: Words = {
  heading: 'You’re about to be signed out',
  text: 'For your security, we will sign you out in {time}.',
  fixed: 'You cannot stay signed in for longer. Please save your work now.',
  left: '{time} left',
  stay: 'Stay signed in',
  continue: 'Continue',
  'sign-out': 'Sign out',
  unreachable: 'We cannot reach the service',
  failed: 'We could not reach the service. Please try again.',
  locked: 'For your security, we locked this page',
  'unlock-page': 'Unlock',
  kept: 'Your work is still here.',
  retry: 'Try again',
  ended: 'For your security, we signed you out',
  'signed-out': 'You are signed out',
};
