import {
  HttpException,
  HttpStatus,
  Inject,
  Injectable,
  NotFoundException,
  UnauthorizedException,
} from '@nestjs/common';
import type { NextFunction, Request, Response } from 'express';
import { RESOLVED_OPTIONS } from '../options/module-definition.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { isPassiveRequest } from '../request/passive-request.js';
import { sendProblem } from '../request/problem.js';
import { PersonSessions } from '../session/person-sessions.js';
import { refuseUnchecked } from '../session/refuse-unchecked.js';
import type { RequestSession } from '../session/request-session.js';
import { EndpointChecks } from './endpoint-checks.js';
import { EndpointCors, isPreflight } from './endpoint-cors.js';
import { sendJson } from './send-json.js';

type Answer = (request: Request, response: Response) => void | Promise<void>;

/** The person behind a request, and the session that they have there. */
interface Person {
  readonly owner: string;
  readonly session: RequestSession;
}

/** With what a person sees their own sessions, and ends them. Asked for another person's, it answers as if there were none. */
@Injectable()
export class SessionsEndpoint {
  constructor(
    private readonly checks: EndpointChecks,
    private readonly cors: EndpointCors,
    private readonly sessions: PersonSessions,
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  readonly middleware = async (
    request: Request,
    response: Response,
    next: NextFunction,
  ): Promise<void> => {
    const answer = this.answerOf(request);
    if (!answer) return next();
    response.set('Cache-Control', 'no-store');
    this.cors.allow(request, response);
    try {
      this.checks.refuseOtherOrigins(request);
      await answer(request, response);
    } catch (error) {
      // What is no answer, an error in an option's function say, is for the app.
      if (!(error instanceof HttpException)) throw error;
      sendProblem(error, response);
    }
  };

  private answerOf(request: Request): Answer | undefined {
    const { method, params } = request;
    if (isPreflight(request)) return this.answerPreflight;
    if (method === 'DELETE') return params.ref === undefined ? this.endOthers : this.endOne;
    return params.ref === undefined && (method === 'GET' || method === 'HEAD')
      ? this.list
      : undefined;
  }

  private readonly answerPreflight = (request: Request, response: Response): void =>
    this.cors.answerPreflight(
      request,
      response,
      request.params.ref === undefined ? 'GET, DELETE' : 'DELETE',
    );

  /** Never activity: a page may ask for it by itself. */
  private readonly list = async (request: Request, response: Response): Promise<void> => {
    const { owner } = await this.personOf(request);
    sendJson(await this.sessions.items(owner, { current: request }), response);
  };

  private readonly endOne = async (request: Request, response: Response): Promise<void> => {
    const { owner, session } = await this.personOf(request);
    const ref = String(request.params.ref);
    if (ref === session.ref) {
      await session.end('signed-out');
    } else {
      await this.noteActivity(request, session);
      if (!(await this.sessions.endByRef(ref, { owner, by: owner }))) throw notFound();
    }
    response.status(HttpStatus.NO_CONTENT).end();
  };

  private readonly endOthers = async (request: Request, response: Response): Promise<void> => {
    const { owner, session } = await this.personOf(request);
    await this.noteActivity(request, session);
    const ended = await this.sessions.endAll(owner, { except: request, by: owner });
    sendJson({ ended }, response);
  };

  /** @throws {UnauthorizedException} without a live session that belongs to a person */
  private async personOf(request: Request): Promise<Person> {
    const session = await this.checks.openSession(request);
    refuseUnchecked(session);
    const isLive = session.status().state !== 'none';
    const owner = isLive ? this.options.ownerOf?.(request) : undefined;
    if (owner === undefined) throw signedOut();
    return { owner, session };
  }

  private async noteActivity(request: Request, session: RequestSession): Promise<void> {
    if (!isPassiveRequest(request, this.options.origins)) await session.refresh();
  }
}

const problem = (status: HttpStatus, title: string, detail: string) => ({
  type: 'about:blank',
  title,
  status,
  detail,
});

const signedOut = () =>
  new UnauthorizedException(
    problem(HttpStatus.UNAUTHORIZED, 'Unauthorized', 'You are not signed in.'),
  );

const notFound = () =>
  new NotFoundException(problem(HttpStatus.NOT_FOUND, 'Not Found', 'You have no such session.'));
