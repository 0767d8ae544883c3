import { afterEach, describe, expect, it } from '@jest/globals';
import { createTestApp, SECRET, type TestApp, type TestAppOptions } from '../support/test-app.js';
import { statusOf } from '../support/requests.js';

let test: TestApp;
afterEach(() => test.app.close());

async function ownerOfEach(count: number, options: TestAppOptions['options']) {
  test = await createTestApp({ options });
  const owners: (string | null | undefined)[] = [];
  for (let person = 0; person < count; person++) {
    const { sessionRef } = await statusOf(await test.signedIn());
    owners.push((await test.storage.read(sessionRef!)).record?.owner);
  }
  return owners;
}

describe('The owner in the activity record', () => {
  it('is a keyed hash, the same for all sessions of a person, and never who it is', async () => {
    const [one, two] = await ownerOfEach(2, { ownerOf: ({ session }) => session.user });
    expect(one).toMatch(/^[\w-]{22}$/);
    expect(two).toBe(one);
    await test.app.close();
    const secret = `${SECRET} of another app`;
    const [other] = await ownerOfEach(1, {
      ownerOf: ({ session }) => session.user,
      session: { secret },
    });
    expect(other).not.toBe(one);
  });

  it('is nobody without ownerOf, or where that knows nobody', async () => {
    expect(await ownerOfEach(1, {})).toEqual([null]);
    await test.app.close();
    expect(await ownerOfEach(1, { ownerOf: () => undefined })).toEqual([null]);
  });
});
