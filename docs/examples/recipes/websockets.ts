import type { IncomingMessage } from 'node:http';
import { Module } from '@nestjs/common';
import {
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  type OnGatewayConnection,
} from '@nestjs/websockets';
import { IdleSessionGateway, IdleSessionService, PassiveRoute } from 'nestjs-idle-session';
import type { WebSocket } from 'ws';

// #region gateway
@IdleSessionGateway()
@WebSocketGateway({ path: '/claims' })
export class ClaimsGateway implements OnGatewayConnection {
  private readonly members = new Set<WebSocket>();

  constructor(private readonly sessions: IdleSessionService) {}

  async handleConnection(client: WebSocket, request: IncomingMessage) {
    if (!(await this.sessions.attach(client, request))) return;
    this.members.add(client);
    client.on('close', () => this.members.delete(client));
  }

  @SubscribeMessage('rename')
  rename(@MessageBody() name: string) {
    for (const member of this.members) member.send(JSON.stringify({ event: 'renamed', name }));
  }

  @PassiveRoute()
  @SubscribeMessage('poll')
  poll() {
    return { event: 'news', data: [] };
  }
}
// #endregion gateway

@Module({ providers: [ClaimsGateway] })
export class ClaimsModule {}
