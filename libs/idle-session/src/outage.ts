import type { Logger } from '@nestjs/common';

/**
 * Logs once when a storage stops answering and once when it answers again, however many requests see it. Of the error
 * only kind and code are logged: messages of stores may hold session ids or data.
 */
export class Outage {
  private ongoing = false;

  constructor(private readonly logger: Logger) {}

  began(error: unknown): void {
    if (this.ongoing) return;
    this.ongoing = true;
    this.logger.error(
      `The session store or the activity storage does not answer: ${describe(error)}`,
    );
  }

  over(): void {
    if (!this.ongoing) return;
    this.ongoing = false;
    this.logger.log('The session store and the activity storage answer again.');
  }
}

function describe(error: unknown): string {
  const root = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (!(root instanceof Error)) return 'unknown error';
  const { code } = root as NodeJS.ErrnoException;
  return code === undefined ? root.name : `${root.name} (${code})`;
}
