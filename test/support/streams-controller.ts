import { Readable } from 'node:stream';
import {
  Controller,
  Get,
  Header,
  HttpCode,
  Param,
  Post,
  Req,
  Res,
  Sse,
  StreamableFile,
  type INestApplication,
  type MessageEvent,
} from '@nestjs/common';
import type { Request, Response } from 'express';
import { finalize, map, Subject, type Observable } from 'rxjs';
import { EndsWithSession, IdleSessionService, SkipIdleSession } from 'nestjs-idle-session';
import { Gate } from './gate.js';
import { OpenStream } from './open-stream.js';
import { until } from './until.js';

/** Every form in which Node takes the headers of a stream of events. */
export const WAYS_TO_BEGIN: Record<string, (response: Response) => unknown> = {
  array: (response) => response.setHeader('Content-Type', ['text/event-stream']),
  appended: (response) => response.appendHeader('Content-Type', 'text/event-stream'),
  spaces: (response) => response.setHeader('Content-Type', '  text/event-stream ; charset=utf-8'),
  case: (response) => response.setHeader('content-TYPE', 'Text/Event-Stream'),
  object: (response) => response.writeHead(200, { 'content-type': ['text/event-stream'] }),
  message: (response) => response.writeHead(200, 'OK', { 'Content-Type': ' TEXT/EVENT-STREAM' }),
  'flat-array': (response) =>
    response.writeHead(200, ['X-Of', 'a test', 'CONTENT-TYPE', 'text/event-stream']),
  'array-of-arrays': (response) =>
    response.writeHead(200, [
      ['X-Of', 'a test'],
      ['Content-Type', 'text/event-stream'],
    ] as never),
  map: (response) => response.setHeaders(new Headers({ 'Content-Type': 'text/event-stream' })),
};

/** Routes whose answers stay open, and push what the test says. */
@Controller()
export class StreamsController {
  /** What all open answers push from now on. */
  static pushed = new Subject<string>();
  /** The handlers that are still working for an open answer. */
  static working = new Set<object>();
  static gate = new Gate();

  static reset(): void {
    StreamsController.pushed = new Subject();
    StreamsController.working = new Set();
    StreamsController.gate = new Gate();
  }

  constructor(private readonly sessions: IdleSessionService) {}

  @Sse('events')
  events(): Observable<MessageEvent> {
    return sse();
  }

  @Sse('marked-events')
  @EndsWithSession()
  markedEvents(): Observable<MessageEvent> {
    return sse();
  }

  @Sse('public-events')
  @SkipIdleSession()
  publicEvents(): Observable<MessageEvent> {
    return sse();
  }

  /** As a handler does it that knows nothing of Nest's streams. */
  @Get('plain-events')
  plainEvents(@Res() response: Response): void {
    response.set('Content-Type', 'text/event-stream; charset=utf-8').flushHeaders();
    // Its own reference, taken before the end.
    writeAll(response.write.bind(response));
  }

  /** As handlers do it that know no more than Node's `writeHead()`. */
  @Get('written-events/:how')
  writtenEvents(@Param('how') how: string, @Res() response: Response): void {
    WAYS_TO_BEGIN[how]!(response);
    response.flushHeaders();
    writeAll(response.write.bind(response));
  }

  /** A handler that gives the session another id first. */
  @Get('renewed-events')
  async renewedEvents(@Req() request: Request, @Res() response: Response): Promise<void> {
    await this.regenerate(request);
    await new Promise((done) => request.session.save(done));
    this.plainEvents(response);
  }

  /** A handler that takes its time before it begins. */
  @Get('late-events')
  async lateEvents(@Res() response: Response): Promise<void> {
    await StreamsController.gate.pass();
    this.plainEvents(response);
  }

  @Get('lines')
  @EndsWithSession()
  @Header('Content-Type', 'application/x-ndjson')
  lines(@Res() response: Response): void {
    response.flushHeaders();
    writeAll((text) => response.write(text));
  }

  @Get('late-lines')
  @EndsWithSession()
  async lateLines(@Res() response: Response): Promise<void> {
    await StreamsController.gate.pass();
    this.lines(response);
  }

  @Get('chosen-lines')
  chosenLines(@Req() request: Request, @Res() response: Response): void {
    this.sessions.endWithSession(request);
    this.lines(response);
  }

  @Get('download')
  download(): StreamableFile {
    return file();
  }

  @Get('marked-download')
  @EndsWithSession()
  markedDownload(): StreamableFile {
    return file();
  }

  @Get('sized-download')
  @EndsWithSession()
  sizedDownload(): StreamableFile {
    return new StreamableFile(pushes(), { length: 1_000_000 });
  }

  @Get('slow-answer')
  @EndsWithSession()
  async slowAnswer() {
    await StreamsController.gate.pass();
    return { balance: 100 };
  }

  @Get('slow-own-answer')
  @EndsWithSession()
  async slowOwnAnswer(@Res() response: Response): Promise<void> {
    await StreamsController.gate.pass();
    response.status(200).cookie('balance', '100').set('X-Balance', '100');
    response.write('balance');
    response.end('100');
  }

  @Get('slow-error')
  @EndsWithSession()
  async slowError() {
    await StreamsController.gate.pass();
    throw new Error('broken on purpose');
  }

  @Post('marked-sign-out')
  @EndsWithSession()
  @HttpCode(200)
  async signOut(@Req() request: Request) {
    const { how } = request.query;
    if (how === 'end') await this.sessions.end(request);
    else await new Promise((done) => request.session.destroy(done));
    return { signedOut: true };
  }

  @Post('marked-regenerate')
  @EndsWithSession()
  @HttpCode(200)
  async markedRegenerate(@Req() request: Request) {
    await this.regenerate(request);
    return { user: request.session.user };
  }

  @Post('end')
  @HttpCode(204)
  end(@Req() request: Request) {
    return this.sessions.end(request);
  }

  @Post('regenerate')
  @HttpCode(204)
  async regenerate(@Req() request: Request) {
    await new Promise((done) => request.session.regenerate(done));
    request.session.user = 'ada';
  }
}

function sse(): Observable<MessageEvent> {
  const stop = begin();
  return StreamsController.pushed.pipe(
    map((data) => ({ data })),
    finalize(stop),
  );
}

/** @returns to be called when the handler stops */
function begin(): () => void {
  const { working } = StreamsController;
  const handler = {};
  working.add(handler);
  return () => void working.delete(handler);
}

/** Goes on writing for as long as the test runs, also when the response has ended. */
function writeAll(write: (text: string) => unknown): void {
  StreamsController.pushed.subscribe(write);
}

function file(): StreamableFile {
  return new StreamableFile(pushes(), { type: 'application/pdf' });
}

function pushes(): Readable {
  const readable = new Readable({ read() {} });
  readable.push('begin');
  readable.on('close', begin());
  StreamsController.pushed.subscribe((text) => readable.push(text));
  return readable;
}

/** A stream of the session of a cookie that has delivered something. */
export async function openedStream(
  app: INestApplication,
  path: string,
  cookie: string,
): Promise<OpenStream> {
  const stream = await OpenStream.open(app, path, { cookie });
  if (stream.status !== 200) throw new Error(`The stream was answered with ${stream.status}`);
  await until('it delivers', () => {
    StreamsController.pushed.next('data: before\n\n');
    return stream.received.includes('before');
  });
  return stream;
}
