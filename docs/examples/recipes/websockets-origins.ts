import type { IncomingMessage } from 'node:http';
import { WebSocketGateway, type OnGatewayConnection } from '@nestjs/websockets';
import { IdleSessionGateway, IdleSessionService } from 'nestjs-idle-session';
import type { WebSocket } from 'ws';

@IdleSessionGateway()
@WebSocketGateway({ path: '/claims' })
export class PartnersGateway implements OnGatewayConnection {
  constructor(private readonly sessions: IdleSessionService) {}

  // #region origins
  handleConnection(client: WebSocket, request: IncomingMessage) {
    const allowedOrigins = ['https://app.example.com'];
    return this.sessions.attach(client, request, { allowedOrigins });
  }
  // #endregion origins
}
