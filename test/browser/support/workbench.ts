import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '../../..');
const CLIENT = join(ROOT, 'libs/idle-session-client');
const EXAMPLES = join(ROOT, 'docs/examples/frameworks');
/** Other versions of the frameworks: scripts/compat.mjs sets it. */
const MODULES = process.env.FRAMEWORK_MODULES ?? join(ROOT, 'node_modules');

/** For the browser. Without `skipLibCheck`: the declarations of packages are checked, only not TypeScript's own. */
const TSCONFIG = {
  compilerOptions: {
    target: 'es2022',
    module: 'esnext',
    moduleResolution: 'bundler',
    lib: ['es2022', 'dom', 'dom.iterable'],
    types: [],
    jsx: 'react-jsx',
    strict: true,
    skipLibCheck: false,
    skipDefaultLibCheck: true,
    noEmit: true,
  },
  // Only this one runs on a server.
  exclude: ['server.*'],
};

/** A folder as an app of this framework has it: an example of the documentation, and the client installed as built. */
export class Workbench {
  readonly folder: string;

  constructor(framework: string, packages: readonly string[]) {
    this.folder = mkdtempSync(join(tmpdir(), `${framework}-app-`));
    cpSync(join(EXAMPLES, framework), this.folder, { recursive: true });
    for (const part of ['package.json', 'dist']) {
      const target = join(this.installed('idle-session-client'), part);
      cpSync(join(CLIENT, part), target, { recursive: true });
    }
    for (const name of packages) this.link(name);
    this.write('package.json', JSON.stringify({ type: 'module', private: true }));
    this.write('tsconfig.json', JSON.stringify(TSCONFIG));
  }

  link(name: string): void {
    const target = this.installed(name);
    mkdirSync(dirname(target), { recursive: true });
    symlinkSync(join(MODULES, name), target, 'junction');
  }

  /** Returns where it is. */
  write(name: string, contents: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, contents);
    return path;
  }

  /** Where a package is, or a file of it. */
  installed(name: string): string {
    return join(this.folder, 'node_modules', name);
  }

  /** Runs a program of the project, or one that was written here; resolves to what it says. */
  async run(program: string, ...args: string[]): Promise<string> {
    const options = { cwd: this.folder, env: { PATH: process.env.PATH } };
    const running = promisify(execFile)(
      process.execPath,
      [resolve(ROOT, program), ...args],
      options,
    );
    const { stdout, stderr } = await running.catch((error: { stdout: string; stderr: string }) => {
      throw new Error(error.stdout + error.stderr);
    });
    return stdout + stderr;
  }

  /** What the compiler has to say. */
  typeErrors(): Promise<string> {
    return this.run('node_modules/typescript/bin/tsc').catch(String);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
