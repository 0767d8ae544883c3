import { BadRequestException } from '@nestjs/common';
import type { Request } from 'express';

const TAKES =
  'it takes { "idleForMs": <milliseconds, 0 or more> } as JSON, or the milliseconds as the header Idle-For-Ms.';

/**
 * How long ago the person last did something: from the header, which needs no body parser, or from the body.
 * @throws {BadRequestException} that names what is wrong
 */
export function idleForMsOf(request: Request): number {
  const header = request.get('Idle-For-Ms');
  if (header === undefined) return idleForMsInBody(request.body);
  // Not '' and not '0, 0'.
  if (/^\d+(\.\d+)?$/.test(header)) return Number(header);
  throw new BadRequestException(`Idle-For-Ms got ${JSON.stringify(header)}; ${TAKES}`);
}

function idleForMsInBody(body: unknown): number {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new BadRequestException(`The body is no object; ${TAKES}`);
  }
  const unknown = Object.keys(body).find((key) => key !== 'idleForMs');
  if (unknown !== undefined)
    throw new BadRequestException(`The body has an unknown ${JSON.stringify(unknown)}; ${TAKES}`);
  const { idleForMs } = body as { idleForMs?: unknown };
  if (typeof idleForMs === 'number' && Number.isFinite(idleForMs) && idleForMs >= 0)
    return idleForMs;
  throw new BadRequestException(
    `"idleForMs" got ${JSON.stringify(idleForMs) ?? 'nothing'}; ${TAKES}`,
  );
}
