import type { LoggerService } from '@nestjs/common';

export interface LogLine {
  readonly level: 'log' | 'warn' | 'error';
  readonly text: string;
}

/** Keeps what is logged, in order, for a test to look at. */
export class RecordingLogger implements LoggerService {
  readonly lines: LogLine[] = [];

  get warnings(): string[] {
    return this.textsOf('warn');
  }

  get errors(): string[] {
    return this.textsOf('error');
  }

  log = (...message: unknown[]) => this.keep('log', message);
  warn = (...message: unknown[]) => this.keep('warn', message);
  error = (...message: unknown[]) => this.keep('error', message);
  fatal = (...message: unknown[]) => this.keep('error', message);

  private keep(level: LogLine['level'], message: unknown[]): void {
    this.lines.push({ level, text: message.map(String).join(' ') });
  }

  private textsOf(wanted: LogLine['level']): string[] {
    return this.lines.filter(({ level }) => level === wanted).map(({ text }) => text);
  }
}
