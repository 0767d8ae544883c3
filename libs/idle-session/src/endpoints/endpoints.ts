import {
  HttpException,
  HttpStatus,
  Inject,
  Injectable,
  NotFoundException,
  RequestMethod,
  UnauthorizedException,
} from '@nestjs/common';
import type { NextFunction, Request, Response } from 'express';
import { RESOLVED_OPTIONS } from '../options/module-definition.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { isPassiveRequest } from '../request/passive-request.js';
import { sendProblem } from '../request/problem.js';
import { EndedSession } from '../session/ended-session.js';
import { SessionExpiredException } from '../session/idle-session.exceptions.js';
import { refuseUnchecked } from '../session/refuse-unchecked.js';
import { RequestSessions } from '../session/request-sessions.js';
import { ClientFiles, ENCODINGS } from './client-files.js';
import { draftKey } from './draft-key.js';
import { EndpointChecks } from './endpoint-checks.js';
import { EndpointCors, isPreflight } from './endpoint-cors.js';
import { sendJson } from './send-json.js';
import { idleForMsOf } from './idle-for.js';

interface Endpoint {
  readonly method: RequestMethod.GET | RequestMethod.POST;
  answer(request: Request, response: Response): void | Promise<void>;
}

/**
 * The endpoints that the browser client calls. They are a middleware and no controller: their answers have one form,
 * and the guards, interceptors, pipes, filters and versions that the app has for its own routes do not touch them.
 */
@Injectable()
export class Endpoints {
  /** By the last segment of its path. */
  private readonly byName: ReadonlyMap<string, Endpoint>;

  constructor(
    private readonly requestSessions: RequestSessions,
    private readonly checks: EndpointChecks,
    private readonly cors: EndpointCors,
    private readonly clientFiles: ClientFiles,
    private readonly endedSession: EndedSession,
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
  ) {
    const { GET, POST } = RequestMethod;
    this.byName = new Map<string, Endpoint>([
      ['status', { method: GET, answer: this.status }],
      ['heartbeat', { method: POST, answer: this.heartbeat }],
      ['sign-out', { method: POST, answer: this.signOut }],
      ['draft-key', { method: GET, answer: this.draftKey }],
      ['client.js', { method: GET, answer: this.client }],
      ...clientFiles.names.map((name): [string, Endpoint] => [
        name,
        { method: GET, answer: this.hashedClient(name) },
      ]),
    ]);
  }

  readonly middleware = async (
    request: Request,
    response: Response,
    next: NextFunction,
  ): Promise<void> => {
    const [path = ''] = request.originalUrl.split('?');
    const endpoint = this.byName.get(path.split('/').findLast(Boolean) ?? '');
    if (!endpoint) return next();
    const takes = RequestMethod[endpoint.method];
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    if (method !== takes && !isPreflight(request)) return next();
    response.set('Cache-Control', 'no-store');
    this.cors.allow(request, response);
    try {
      if (method !== takes) this.cors.answerPreflight(request, response, takes!);
      else await endpoint.answer(request, response);
    } catch (error) {
      // What is no answer, an error in an option's function say, is for the app.
      if (!(error instanceof HttpException)) throw error;
      sendProblem(error, response);
    }
  };

  private readonly status = async (request: Request, response: Response): Promise<void> => {
    const { of } = request.query;
    if (of !== undefined) {
      this.checks.refuseOtherOrigins(request);
      return sendJson(await this.endedSession.status(of), response);
    }
    const session = this.requestSessions.of(request);
    const status = await session.check();
    this.checks.refuseReplaced(session);
    sendJson(status, response);
  };

  private readonly heartbeat = async (request: Request, response: Response): Promise<void> => {
    this.checks.refuseOtherOrigins(request);
    const idleForMs = idleForMsOf(request);
    const session = await this.checks.liveSession(request);
    const isPassive = isPassiveRequest(request, this.options.origins);
    const status = isPassive ? session.status() : await session.refresh(idleForMs);
    if (status.reason !== null) throw new SessionExpiredException(status.reason, status.loginUrl);
    sendJson(status, response);
  };

  private readonly signOut = async (request: Request, response: Response): Promise<void> => {
    this.checks.refuseOtherOrigins(request);
    const session = this.requestSessions.of(request);
    this.checks.refuseReplaced(session);
    await session.end('signed-out');
    response.status(HttpStatus.NO_CONTENT).end();
  };

  private readonly draftKey = async (request: Request, response: Response): Promise<void> => {
    this.checks.refuseOtherOrigins(request);
    const { secrets, ownerOf } = this.options;
    if (!ownerOf) throw new NotFoundException();
    const session = await this.checks.openSession(request);
    refuseUnchecked(session);
    if (session.status().state === 'none') throw new UnauthorizedException();
    const owner = ownerOf(request);
    if (owner === undefined) throw new NotFoundException();
    const [key, ...olderKeys] = secrets.map((secret) => draftKey(secret, owner));
    sendJson(olderKeys.length > 0 ? { key, olderKeys } : { key }, response);
  };

  private readonly client = (request: Request, response: Response): Promise<void> => {
    const { fileName } = this.clientFiles;
    return this.sendScript(fileName, 'no-cache', request, response);
  };

  private readonly hashedClient = (name: string) => (request: Request, response: Response) =>
    this.sendScript(name, 'public, max-age=31536000, immutable', request, response);

  /** @param fileName with a hash of its content */
  private async sendScript(
    fileName: string,
    cacheControl: string,
    request: Request,
    response: Response,
  ): Promise<void> {
    // Weak: it is the same however it is compressed.
    response.set({ ETag: `W/"${fileName}"`, 'Cache-Control': cacheControl });
    // Not what a middleware in front encodes itself, nor a 304: the cache that asks may have it in another encoding.
    const isAsItIs = response.hasHeader('Content-Encoding') || request.fresh;
    const encoding = ENCODINGS.find((name) => !isAsItIs && request.acceptsEncodings(name));
    const compressed = encoding && (await this.clientFiles.compressed(fileName, encoding));
    response.set('X-Content-Type-Options', 'nosniff');
    if (compressed) response.set('Content-Encoding', encoding);
    response.vary('Accept-Encoding').type('text/javascript');
    response.send(compressed ?? this.clientFiles.get(fileName));
  }
}
