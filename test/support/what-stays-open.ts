import { Controller, Sse } from '@nestjs/common';
import { WebSocketGateway, type OnGatewayConnection } from '@nestjs/websockets';
import type { Request } from 'express';
import { IdleSessionService } from 'nestjs-idle-session';
import { concat, NEVER, of } from 'rxjs';
import type { WebSocket } from 'ws';

/** A stream that says that it is open, and no more. */
@Controller('quiet-stream')
export class QuietStreamController {
  @Sse()
  stream() {
    return concat(of({ data: 'open' }), NEVER);
  }
}

/** Sockets that are told that they are open, and no more. */
@WebSocketGateway({ path: '/socket' })
export class QuietGateway implements OnGatewayConnection {
  constructor(private readonly sessions: IdleSessionService) {}

  async handleConnection(socket: WebSocket, request: Request): Promise<void> {
    if (await this.sessions.attach(socket, request)) socket.send('open');
  }
}
