import type { Request } from 'express';
import type { RequestSession } from '../request-session.js';
import type { HandshakeSessions } from './handshake-sessions.js';
import { isEnd, type Closing, type OpenSessions } from './open-sessions.js';
import {
  closeSocket,
  isOpen,
  onceClosed,
  type AttachableSocket,
  type SocketClosing,
} from './socket.js';

/** By the socket, for messages of a gateway; by its handshake, for GraphQL operations, which know no more than that. */
const attached = new WeakMap<object, AttachedSocket>();

/** A socket that belongs to the session of its handshake, and closes when that ends. */
export class AttachedSocket {
  /** Whether the socket was let in. Messages that arrive earlier wait for it. */
  isAdmitted: Promise<boolean> = Promise.resolve(false);

  private isOver: boolean;
  /** Since then, the socket closes when the session ends. */
  private release: (() => void) | undefined;

  constructor(
    private readonly socket: AttachableSocket,
    readonly handshake: Request,
    private readonly sessions: HandshakeSessions,
    private readonly openSessions: OpenSessions,
  ) {
    this.isOver = !isOpen(socket);
    onceClosed(socket, () => this.leave());
    attached.set(socket, this).set(handshake, this);
  }

  /** @param key the socket or its handshake */
  static of(key: object): AttachedSocket | undefined {
    return attached.get(key);
  }

  /** The session as it is now: that of the handshake is as old as the socket. */
  read(): Promise<RequestSession> {
    return this.sessions.read(this.handshake);
  }

  /**
   * Whether the socket has a live session that is not locked, read anew and held against the options. Closes the socket if
   * it has none.
   * @throws {StorageUnavailableException}
   */
  async check(): Promise<boolean> {
    if (this.isOver) return false;
    const session = await this.read();
    const status = await session.check();
    this.handshake.idleSession = status;
    if (!session.isStored || status.state === 'expired')
      this.close({ code: 1008, reason: status.reason ?? 'none' });
    else if (status.state === 'locked') this.close(socketClosingFor('locked'));
    else this.hold(session);
    return !this.isOver;
  }

  close(closing: SocketClosing): void {
    if (this.isOver) return;
    this.leave();
    closeSocket(this.socket, closing);
  }

  /** One that is not under the idle timeout has no end to hear of: each message looks for it. */
  private hold({ guarded }: RequestSession): void {
    if (this.isOver || this.release || !guarded) return;
    this.release = this.openSessions.hold(guarded, (closing) =>
      this.close(socketClosingFor(closing)),
    );
  }

  private leave(): void {
    this.isOver = true;
    this.release?.();
  }
}

/** A page whose session got another id may come back at once, with its new cookie. */
function socketClosingFor(closing: Closing): SocketClosing {
  if (isEnd(closing) || closing === 'locked') return { code: 1008, reason: closing };
  return { code: closing === 'replaced' ? 1012 : 1013, reason: closing };
}
