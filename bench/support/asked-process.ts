import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** What a process answers, by the name of the question. */
type Answers = Record<string, (given: never) => unknown>;

interface Question {
  readonly name: string;
  readonly given: unknown;
}

interface Answer {
  readonly value?: unknown;
  readonly error?: string;
}

/** A process of its own that is asked one question after the other. Always `stop()` it. */
export class AskedProcess<A extends Answers> {
  private constructor(private readonly child: ChildProcess) {}

  /** @param main a file of this folder that calls {@link answerWith} */
  static async start<A extends Answers>(main: string, options: unknown): Promise<AskedProcess<A>> {
    const child = fork(join(import.meta.dirname, main), [JSON.stringify(options)], {
      execArgv: ['--expose-gc', '--enable-source-maps'],
    });
    const started = new AskedProcess<A>(child);
    await started.answered();
    return started;
  }

  async ask<Q extends keyof A & string>(
    name: Q,
    given?: Parameters<A[Q]>[0],
  ): Promise<Awaited<ReturnType<A[Q]>>> {
    const answered = this.answered();
    this.child.send({ name, given } satisfies Question);
    return (await answered) as Awaited<ReturnType<A[Q]>>;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const exited = once(this.child, 'exit');
    if (this.child.connected) this.child.disconnect();
    await exited;
  }

  private async answered(): Promise<unknown> {
    const ended = new AbortController();
    const { signal } = ended;
    const exited = once(this.child, 'exit', { signal }).then(([code]) => {
      throw new Error(`A process of the bench ended early: ${String(code)}`);
    });
    exited.catch(() => {});
    try {
      const message = once(this.child, 'message', { signal }) as Promise<[Answer]>;
      message.catch(() => {});
      const [{ value, error }] = await Promise.race([message, exited]);
      if (error !== undefined) throw new Error(error);
      return value;
    } finally {
      ended.abort();
    }
  }
}

/** Makes this process the answering one, until the process that started it is gone. */
export function answerWith(answers: Answers, close: () => Promise<void>): void {
  process.on('disconnect', () => void close().then(() => process.exit()));
  process.on('message', ({ name, given }: Question) => {
    void settle(async () => answers[name]!(given as never)).then((answer) =>
      process.send?.(answer),
    );
  });
  process.send?.({} satisfies Answer);
}

async function settle(ask: () => Promise<unknown>): Promise<Answer> {
  try {
    return { value: await ask() };
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
