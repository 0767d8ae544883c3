import { jest } from '@jest/globals';

const nextTurn = setImmediate;

/** When the storage's clock starts; it has nothing to do with the processes' own clocks. */
const EPOCH = 1_700_000_000_000;

/** Takes over the timers and the clock of processes, so that time passes only in {@link pass}. */
export function startVirtualTime(): void {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] });
}

/** The storage's time. */
export function now(): number {
  return EPOCH + performance.now();
}

/** Does something later; at once if there is nothing to wait for. */
export function after(milliseconds: number, action: () => void): void {
  if (milliseconds === 0) action();
  else setTimeout(action, milliseconds);
}

/** Lets all happen that can happen without time. */
export function settle(): Promise<void> {
  return new Promise((resolve) => nextTurn(resolve));
}

/** Lets time pass, one timer after the other. */
export async function pass(milliseconds: number): Promise<void> {
  let over = false;
  setTimeout(() => (over = true), milliseconds);
  await settle();
  while (!over) {
    jest.advanceTimersToNextTimer();
    await settle();
  }
}
