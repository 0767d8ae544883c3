import type { LoggerService } from '@nestjs/common';

/** Keeps what is logged, for a test to look at. */
export class RecordingLogger implements LoggerService {
  readonly warnings: string[] = [];
  readonly errors: string[] = [];

  log(): void {}

  warn(message: unknown): void {
    this.warnings.push(String(message));
  }

  error(...messages: unknown[]): void {
    this.errors.push(messages.map(String).join(' '));
  }

  fatal(...messages: unknown[]): void {
    this.error(...messages);
  }
}
