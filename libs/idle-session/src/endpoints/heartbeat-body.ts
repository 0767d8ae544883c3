import { BadRequestException } from '@nestjs/common';

const TAKES = 'it takes { "idleForMs": <milliseconds, 0 or more> } as JSON.';

/** How long ago the person last did something. @throws {BadRequestException} that names what is wrong */
export function idleForMsOf(body: unknown): number {
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
