import zlib, { brotliDecompressSync, type InputType } from 'node:zlib';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';

type Done = (error: Error | null, result?: Buffer) => void;

let fails = true;
const brotliCompress = (input: InputType, done: Done) =>
  fails ? done(new Error('Memory allocation failed')) : zlib.brotliCompress(input, done as never);
jest.unstable_mockModule('node:zlib', () => ({ ...zlib, brotliCompress }));
const { ClientFiles } = await import('./client-files.js');

beforeEach(() => {
  fails = true;
});

describe('A file of the browser client', () => {
  it('that cannot be compressed is not for ever one that cannot', async () => {
    const files = new ClientFiles();
    const { fileName } = files;
    const plain = files.get(fileName);
    await expect(files.compressed(fileName, 'br')).resolves.toBeUndefined();
    fails = false;
    const compressed = await files.compressed(fileName, 'br');
    expect(brotliDecompressSync(compressed!)).toEqual(plain);
  });
});
