import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CircuitBreaker } from './circuit-breaker.js';
import { NoAnswerError, promised } from './time-limit.js';

const LIMIT = 1000;

let breaker: CircuitBreaker;
/** How to answer what was asked and not answered yet, in order. */
let asked: ((value: string) => void)[];
beforeEach(() => {
  jest.useFakeTimers();
  breaker = new CircuitBreaker(LIMIT);
  asked = [];
});
afterEach(() => {
  jest.useRealTimers();
});

const hang = () =>
  breaker.call(promised(() => new Promise<string>((resolve) => asked.push(resolve))));
/** Comes out as the answer, or as the error. */
const outcomeOf = (answer: Promise<string>) => answer.catch((error: unknown) => error);

/** Asks so many questions at once that are not answered, until they are given up. */
async function giveUp(questions: number): Promise<void> {
  const outcomes = Array.from({ length: questions }, () => outcomeOf(hang()));
  await jest.advanceTimersByTimeAsync(LIMIT + 1);
  for (const outcome of await Promise.all(outcomes)) expect(outcome).toBeInstanceOf(NoAnswerError);
}

describe('While nothing answers', () => {
  it('few questions are asked, however many there are, and the others fail at once', async () => {
    await giveUp(300);
    for (let second = 0; second < 60; second++) {
      const outcomes = Array.from({ length: 300 }, () => outcomeOf(hang()));
      const failed = Promise.all(outcomes.slice(1));
      for (const error of await failed) expect(error).toBeInstanceOf(NoAnswerError);
      await jest.advanceTimersByTimeAsync(LIMIT + 1);
    }
    expect(asked).toHaveLength(300 + 60);
  });

  it('one question at a time is asked to find out', async () => {
    await giveUp(10);
    const [probe, other] = [outcomeOf(hang()), outcomeOf(hang())];
    expect(await other).toBeInstanceOf(NoAnswerError);
    expect(asked).toHaveLength(11);
    asked[10]!('answer');
    expect(await probe).toBe('answer');
    const after = [outcomeOf(hang()), outcomeOf(hang())];
    asked.slice(11).forEach((answer) => answer('again'));
    expect(await Promise.all(after)).toEqual(['again', 'again']);
  });

  it('the first answer ends it at once, also to a question that was given up', async () => {
    await giveUp(10);
    const probe = outcomeOf(hang());
    asked[3]!('late');
    await jest.advanceTimersByTimeAsync(0);
    const after = [outcomeOf(hang()), outcomeOf(hang())];
    asked.slice(10).forEach((answer) => answer('again'));
    expect(await Promise.all([probe, ...after])).toEqual(['again', 'again', 'again']);
  });

  it('a failure is an answer, too', async () => {
    await giveUp(10);
    const fail = () => breaker.call(promised(() => Promise.reject<string>(new Error('gone'))));
    await expect(fail()).rejects.toThrow('gone');
    await Promise.all([
      expect(fail()).rejects.toThrow('gone'),
      expect(fail()).rejects.toThrow('gone'),
    ]);
  });
});

describe('Questions go on being asked', () => {
  it('while fewer than ten went without an answer', async () => {
    await giveUp(9);
    const outcomes = [outcomeOf(hang()), outcomeOf(hang())];
    asked.slice(9).forEach((answer) => answer('answer'));
    expect(await Promise.all(outcomes)).toEqual(['answer', 'answer']);
  });

  it('while some are answered, as when one node of a cluster hangs', async () => {
    for (let round = 0; round < 5; round++) {
      await giveUp(20);
      expect(await breaker.call(promised(async () => 'from another node'))).toBe(
        'from another node',
      );
      // Right after an answer, any number of time-outs are no proof that nothing answers.
      const hanging = Array.from({ length: 20 }, () => outcomeOf(hang()));
      expect(asked).toHaveLength(40 * (round + 1));
      await jest.advanceTimersByTimeAsync(LIMIT + 1);
      await Promise.all(hanging);
      await breaker.call(promised(async () => 'answer'));
    }
  });
});

it('An answer and a failure are passed on as they are, also a throw before there is a promise', async () => {
  expect(await breaker.call(promised(async () => 'answer'))).toBe('answer');
  await expect(breaker.call(promised(() => Promise.reject(new Error('gone'))))).rejects.toThrow(
    'gone',
  );
  const thrown = breaker.call(
    promised(() => {
      throw new Error('at once');
    }),
  );
  await expect(thrown).rejects.toThrow('at once');
});
