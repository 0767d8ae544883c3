import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { closeSocket } from './socket.js';

class FakeWebSocket extends EventEmitter {
  readonly readyState = 1;
  readonly close = jest.fn();
  readonly terminate = jest.fn();
}

describe('A WebSocket that is closed', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('is cut off if its peer does not answer within a second', () => {
    const socket = new FakeWebSocket();
    closeSocket(socket, { code: 1008, reason: 'idle' });
    expect(socket.close).toHaveBeenCalledWith(1008, 'idle');
    jest.advanceTimersByTime(999);
    expect(socket.terminate).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect(socket.terminate).toHaveBeenCalledTimes(1);
  });

  it('is not cut off once it has closed', () => {
    const socket = new FakeWebSocket();
    closeSocket(socket, { code: 1008, reason: 'idle' });
    socket.emit('close');
    jest.advanceTimersByTime(5000);
    expect(socket.terminate).not.toHaveBeenCalled();
  });
});

describe('A socket of socket.io that is closed', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it.each([1008, 1012] as const)(
    'has a second to take the last messages, and is then cut off: %s',
    (code) => {
      const terminate = jest.fn();
      const conn = { transport: { socket: { terminate } }, close: jest.fn() };
      const socket = { connected: true, conn, emit: jest.fn(), disconnect: jest.fn(), on() {} };
      closeSocket(socket, { code, reason: 'idle' });
      jest.advanceTimersByTime(999);
      expect(conn.close).not.toHaveBeenCalledWith(true);
      expect(terminate).not.toHaveBeenCalled();
      jest.advanceTimersByTime(1);
      expect(conn.close).toHaveBeenLastCalledWith(true);
      expect(terminate).toHaveBeenCalledTimes(1);
    },
  );
});
