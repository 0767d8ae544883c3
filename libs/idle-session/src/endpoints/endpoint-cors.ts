import { HttpStatus, Inject, Injectable } from '@nestjs/common';
import type { Request, Response } from 'express';
import { RESOLVED_OPTIONS } from '../options/module-definition.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { isOfListedOrigin } from '../utils/same-origin.js';
import { EndpointChecks } from './endpoint-checks.js';

/** How long browsers need not ask again: the longest that Chromium takes. */
const MAX_AGE_S = 7200;

/** What the browser client reads of an answer, beside its status and body. */
const EXPOSED_HEADERS = 'Retry-After, Date';

/** Lets pages of the listed origins call the endpoints with the session cookie, and read the answers (CORS). */
@Injectable()
export class EndpointCors {
  constructor(
    private readonly checks: EndpointChecks,
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** Says who may read the answer. */
  allow(request: Request, response: Response): void {
    const { origins } = this.options;
    if (origins.length === 0) return;
    // Also on answers to others: a cache may keep the client script.
    response.vary('Origin');
    if (!isOfListedOrigin(request, origins)) return;
    response.set({
      'Access-Control-Allow-Origin': request.get('Origin'),
      'Access-Control-Allow-Credentials': 'true',
    });
    response.append('Access-Control-Expose-Headers', EXPOSED_HEADERS);
  }

  /**
   * Answers what browsers ask ahead of a request with headers of its own. Those are all allowed: the client sends what the
   * app gives it.
   * @param methods of the endpoint
   * @throws {ForbiddenException} to pages of other origins
   */
  answerPreflight(request: Request, response: Response, methods: string): void {
    this.checks.refuseOtherOrigins(request);
    const headers = request.get('Access-Control-Request-Headers');
    response.vary('Access-Control-Request-Headers').set({
      'Access-Control-Allow-Methods': methods,
      'Access-Control-Max-Age': String(MAX_AGE_S),
      ...(headers !== undefined && { 'Access-Control-Allow-Headers': headers }),
    });
    response.status(HttpStatus.NO_CONTENT).end();
  }
}

/** Whether a browser asks if a page of another origin may send a request. */
export function isPreflight({ method, headers }: Request): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
}
