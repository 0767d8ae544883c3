import type { IncomingMessage } from 'node:http';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { RESOLVED_OPTIONS } from '../../options/module-definition.js';
import type { ResolvedOptions } from '../../options/resolve-options.js';
import { RefusalLog } from '../../utils/refusal-log.js';
import { otherOriginOf } from '../../utils/same-origin.js';
import { StorageUnavailableException } from '../idle-session.exceptions.js';
import { AttachedSocket } from './attached-socket.js';
import { HandshakeSessions } from './handshake-sessions.js';
import { OpenSessions } from './open-sessions.js';
import { closeSocket, type AttachableSocket, type SocketClosing } from './socket.js';

/** How `IdleSessionService.attach()` decides. */
export interface AttachOptions {
  /**
   * Origins of pages, beside the app's own and those of the module's option `origins`, that may open sockets, as browsers
   * send them: `https://app.example.com`. Default: none.
   */
  readonly allowedOrigins?: readonly string[];
}

/** What a line says beside the option `origins`, where that does not list the page. */
const FOR_ONE_SOCKET = ' Or for this socket alone: attach(socket, request, { allowedOrigins }).';

/** Lets sockets in that belong to a live session, and closes them when it ends. */
@Injectable()
export class OpenSockets {
  private readonly logger = new Logger('IdleSessionModule');
  private readonly refusals = new RefusalLog(this.logger);

  constructor(
    private readonly handshakes: HandshakeSessions,
    private readonly openSessions: OpenSessions,
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** Never rejects: where Nest calls a gateway, that would end the process. A socket that is not let in is closed. */
  async attach(
    socket: AttachableSocket,
    message: IncomingMessage,
    options: AttachOptions,
  ): Promise<boolean> {
    try {
      const request = this.handshakes.toRequest(message);
      const attached = new AttachedSocket(socket, request, this.handshakes, this.openSessions);
      // In the same tick, so that no message finds the socket unattached.
      attached.isAdmitted = this.admit(attached, options).catch((error: unknown) => {
        attached.close(this.closingAfter(error));
        return false;
      });
      return await attached.isAdmitted;
    } catch (error) {
      closeSocket(socket, this.closingAfter(error));
      return false;
    }
  }

  /**
   * Not if a page of another origin opened the socket, which rides on the cookie: no CORS stands in the way of that
   * (cross-site WebSocket hijacking). Browsers send `Origin` with each WebSocket handshake, and with polling as they do
   * with other requests.
   */
  private async admit(
    attached: AttachedSocket,
    { allowedOrigins = [] }: AttachOptions,
  ): Promise<boolean> {
    const { handshake } = attached;
    const origin = handshake.get('Origin');
    const isAllowed = origin !== undefined && allowedOrigins.includes(origin);
    const kind = isAllowed ? undefined : otherOriginOf(handshake, this.options.origins);
    if (kind) {
      this.refusals.refused('A socket', handshake, kind, FOR_ONE_SOCKET);
      attached.close({ code: 1008, reason: 'other-origin' });
      return false;
    }
    return attached.check();
  }

  private closingAfter(error: unknown): SocketClosing {
    if (error instanceof StorageUnavailableException) return { code: 1013, reason: 'unavailable' };
    this.logger.error('A socket was closed, since its session could not be checked', error);
    return { code: 1011, reason: 'error' };
  }
}
