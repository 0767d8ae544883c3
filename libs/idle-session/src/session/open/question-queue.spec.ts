import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { QuestionQueue } from './question-queue.js';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const SECOND = 1000;

async function pass(milliseconds: number): Promise<void> {
  await jest.advanceTimersByTimeAsync(milliseconds);
  for (let turn = 0; turn < 4; turn++) await nextTurn();
  await jest.advanceTimersByTimeAsync(0);
}

/** A queue whose questions the test answers. */
function queue() {
  const put: string[] = [];
  const answers = new Map<string, (isAnswered: boolean) => void>();
  const questions = new QuestionQueue((ref) => {
    if (answers.has(ref)) throw new Error(`${ref} was put twice at once`);
    put.push(ref);
    return new Promise((resolve) =>
      answers.set(ref, (isAnswered) => {
        answers.delete(ref);
        resolve(isAnswered);
      }),
    );
  });
  return { questions, put, answer: (ref: string, is = true) => answers.get(ref)!(is) };
}

describe('A question that hangs', () => {
  it('counts as unanswered after a second and a quarter, and is not put again', async () => {
    const { questions, put } = queue();
    questions.add('a');
    await pass(0);
    await pass(1240);
    expect(questions.isUnanswered('a')).toBe(false);
    await pass(20);
    expect(questions.isUnanswered('a')).toBe(true);
    await pass(60 * SECOND);
    expect(put).toEqual(['a']);
  });

  it('counts as answered once its answer comes, and others are put that had none', async () => {
    const { questions, put, answer } = queue();
    questions.add('a');
    questions.add('b');
    await pass(0);
    answer('b', false);
    await pass(20 * SECOND);
    answer('b', false);
    answer('a');
    await pass(0);
    expect(questions.isUnanswered('a')).toBe(false);
    expect(put.filter((ref) => ref === 'b')).toHaveLength(3);
    answer('b');
    await pass(0);
    expect(questions.isUnanswered('b')).toBe(false);
    await pass(10 * SECOND);
    expect([put.length, jest.getTimerCount()]).toEqual([4, 0]);
  });

  it('is put once more after its answer if there was news meanwhile', async () => {
    const { questions, put, answer } = queue();
    questions.add('a');
    await pass(2 * SECOND);
    questions.add('a');
    await pass(0);
    expect(put).toEqual(['a']);
    answer('a');
    await pass(0);
    expect(put).toEqual(['a', 'a']);
  });

  it('takes the place of no other', async () => {
    const { questions, put, answer } = queue();
    for (let at = 0; at < 1100; at++) questions.add(`hung ${at}`);
    for (let turns = 0; turns < 10; turns++) await pass(1);
    expect(put).toHaveLength(1024);
    questions.add('a');
    expect(questions.isUnanswered('a')).toBe(false);
    await pass(1250);
    expect(questions.isUnanswered('hung 0')).toBe(true);
    await pass(0);
    expect(put).toContain('a');
    answer('a');
    await pass(0);
    expect(questions.isUnanswered('a')).toBe(false);
  });

  it('is forgotten with its session, and is not put twice at once for one that comes again', async () => {
    const { questions, put, answer } = queue();
    questions.add('a');
    await pass(0);
    questions.delete('a');
    await pass(2 * SECOND);
    questions.add('a');
    await pass(0);
    expect([put, questions.isUnanswered('a')]).toEqual([['a'], true]);
    answer('a');
    await pass(0);
    expect([put, questions.isUnanswered('a')]).toEqual([['a', 'a'], false]);
    questions.clear();
    await pass(60 * SECOND);
    expect([put.length, jest.getTimerCount()]).toEqual([2, 0]);
  });
});

describe('A question that comes again while the queue repeats it, since it had no answer,', () => {
  async function putOnceMore() {
    const it = queue();
    it.questions.add('a');
    await pass(0);
    it.answer('a', false);
    await pass(SECOND);
    expect(it.put).toHaveLength(2);
    it.questions.add('a');
    return it;
  }

  it('goes out again after the answer, which may be as of before', async () => {
    const { put, answer } = await putOnceMore();
    answer('a');
    await pass(0);
    expect(put).toHaveLength(3);
  });

  it('goes out no sooner than a second later where the storage does not answer that either', async () => {
    const { put, answer } = await putOnceMore();
    answer('a', false);
    await pass(900);
    expect(put).toHaveLength(2);
    await pass(200);
    expect(put).toHaveLength(3);
  });
});
