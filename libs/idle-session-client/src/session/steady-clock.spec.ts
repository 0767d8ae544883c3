import { describe, expect, it } from '@jest/globals';
import { HOUR, MINUTE, SECOND } from '../../testing/fake-world.js';
import { SteadyClock } from './steady-clock.js';

function clocks() {
  const time = { wall: 1_750_000_000_000, elapsed: 500 };
  const clock = new SteadyClock({ now: () => time.wall, elapsed: () => time.elapsed });
  const pass = (milliseconds: number) => {
    time.wall += milliseconds;
    time.elapsed += milliseconds;
  };
  return { time, clock, pass };
}

describe('SteadyClock', () => {
  it('goes as both clocks go', () => {
    const { clock, pass } = clocks();
    const start = clock.now();
    pass(MINUTE);
    expect(clock.now() - start).toBe(MINUTE);
    expect(clock.leaptAt).toBe(-Infinity);
  });

  it('goes on in sleep, in which only the wall clock does', () => {
    const { time, clock } = clocks();
    const start = clock.now();
    time.wall += HOUR;
    expect(clock.now() - start).toBe(HOUR);
    expect(clock.leaptAt).toBe(clock.now());
  });

  it('never goes back, and knows of sleep after the wall clock did', () => {
    const { time, clock, pass } = clocks();
    const start = clock.now();
    time.wall -= 2 * HOUR;
    expect(clock.now()).toBe(start);
    expect(clock.leaptAt).toBe(start);
    pass(MINUTE);
    time.wall += HOUR;
    expect(clock.now() - start).toBe(HOUR + MINUTE);
  });

  it('is not moved by clocks that disagree a little, however often it is read', () => {
    const { time, clock, pass } = clocks();
    const start = clock.now();
    for (let n = 0; n < 1000; n++) {
      time.wall += n % 2 ? -3 : 3;
      pass(10);
      clock.now();
    }
    expect(clock.now() - start).toBe(10 * SECOND);
    expect(clock.leaptAt).toBe(-Infinity);
  });

  it('follows a wall clock that drifts away', () => {
    const { time, clock, pass } = clocks();
    const start = clock.now();
    for (let n = 0; n < 1000; n++) {
      pass(10);
      time.wall += 3;
      clock.now();
    }
    expect(Math.abs(clock.now() - start - 13 * SECOND)).toBeLessThanOrEqual(SECOND);
  });

  it.each([HOUR, -HOUR])('remembers when the wall clock leapt by %d ms', (leap) => {
    const { time, clock, pass } = clocks();
    const asked = clock.now();
    expect(asked).toBeGreaterThan(clock.leaptAt);
    pass(10 * SECOND);
    time.wall += leap;
    const heard = clock.now();
    expect(asked).toBeLessThan(clock.leaptAt);
    expect(heard).toBe(clock.leaptAt);
    pass(10 * SECOND);
    expect(heard).toBe(clock.leaptAt);
  });

  it('says what the wall clock is ahead, before and after it was set', () => {
    const { time, clock } = clocks();
    expect(clock.now() + clock.toWallMs).toBe(time.wall);
    time.wall -= HOUR;
    expect(clock.now() + clock.toWallMs).toBe(time.wall);
  });
});
