import { Module } from '@nestjs/common';
import {
  ConnectedSocket,
  SubscribeMessage,
  WebSocketGateway,
  type OnGatewayConnection,
} from '@nestjs/websockets';
import type { Request } from 'express';
import { IdleSessionGateway, IdleSessionService } from 'nestjs-idle-session';
import type { Socket } from 'socket.io';

declare module 'express-session' {
  interface SessionData {
    user?: string;
  }
}

// #region gateway
@IdleSessionGateway()
@WebSocketGateway()
export class ClaimsGateway implements OnGatewayConnection {
  constructor(private readonly sessions: IdleSessionService) {}

  async handleConnection(client: Socket) {
    if (await this.sessions.attach(client, client.request)) await client.join('members');
  }

  @SubscribeMessage('me')
  me(@ConnectedSocket() client: Socket) {
    return (client.request as Request).session.user;
  }
}
// #endregion gateway

@Module({ providers: [ClaimsGateway] })
export class ClaimsModule {}
