import { describe, expect, it } from '@jest/globals';
import { beforeTests, setup, type Machine } from '../../scripts/tools.mjs';

const APT_GET = '/usr/bin/apt-get';
const REDIS_SERVER = '/usr/bin/redis-server';
const CHROMIUM = '/usr/bin/chromium';
const HEADLESS_SHELL = '/usr/bin/chromium-headless-shell';

/** A machine with these programs; by default root runs it, on Debian. */
function machine(programs: string[], different: Partial<Machine> = {}): Machine {
  const { env, ...facts } = different;
  return {
    env: { PATH: '/usr/local/bin:/usr/bin', ...env },
    isExecutable: (path) => programs.includes(path),
    isRoot: true,
    isDebian: true,
    ...facts,
  };
}

describe('`npm test`', () => {
  it('goes on where redis-server and Chromium are on PATH', () => {
    expect(beforeTests(machine([REDIS_SERVER, CHROMIUM]))).toEqual({ action: 'go on' });
  });

  it('goes on with another browser of the family', () => {
    const programs = [REDIS_SERVER, '/usr/local/bin/google-chrome'];
    expect(beforeTests(machine(programs))).toEqual({ action: 'go on' });
  });

  it('goes on where REDIS_SERVER and CHROMIUM name programs', () => {
    const env = { REDIS_SERVER: '/opt/redis', CHROMIUM: '/opt/browser' };
    expect(beforeTests(machine(['/opt/redis', '/opt/browser'], { env }))).toEqual({
      action: 'go on',
    });
  });

  it('runs the setup as root on Debian, and says so in one line', () => {
    const decision = beforeTests(machine([APT_GET, CHROMIUM, HEADLESS_SHELL]));
    expect(decision).toEqual({
      action: 'set up',
      message: expect.stringMatching(/^The tests need redis-server\..*npm run setup.*apt-get.*$/),
    });
  });

  it.each<[string, string[], Partial<Machine>]>([
    ['it does not run as root', [APT_GET], { isRoot: false }],
    ['the system is not Debian', [APT_GET], { isDebian: false }],
    ['there is no apt-get', [], {}],
    ['a variable names no program', [APT_GET], { env: { CHROMIUM: '/opt/browser' } }],
  ])('installs nothing where %s', (_where, programs, different) => {
    expect(beforeTests(machine(programs, different))).toMatchObject({ action: 'stop' });
  });

  it('says in one message what is missing and how to get it', () => {
    const env = { CHROMIUM: '/opt/browser' };
    const decision = beforeTests(machine([], { isRoot: false, env }));
    const message = 'message' in decision ? decision.message : '';
    expect(message).toContain('redis-server: not on PATH, and REDIS_SERVER is not set');
    expect(message).toContain('chromium: CHROMIUM=/opt/browser is not an executable file');
    expect(message).toContain('npm run setup');
  });

  it('also installs the headless shell, which Debian has beside Chromium', () => {
    expect(beforeTests(machine([APT_GET, REDIS_SERVER, CHROMIUM]))).toEqual({
      action: 'set up',
      message: expect.stringContaining('chromium-headless-shell'),
    });
  });

  it.each<[string, string[], Partial<Machine>]>([
    ['root does not run it', [APT_GET, CHROMIUM], { isRoot: false }],
    ['the system is not Debian', [APT_GET, CHROMIUM], { isDebian: false }],
    ['Chromium comes from elsewhere', [APT_GET, '/usr/local/bin/chromium'], {}],
    ['it is there', [APT_GET, CHROMIUM, HEADLESS_SHELL], {}],
    [
      'a variable names one',
      [APT_GET, CHROMIUM, '/opt/shell'],
      { env: { CHROMIUM_HEADLESS_SHELL: '/opt/shell' } },
    ],
  ])('goes on without the headless shell where %s', (_where, programs, different) => {
    const decision = beforeTests(machine([REDIS_SERVER, ...programs], different));
    expect(decision).toEqual({ action: 'go on' });
  });

  it('does not replace what a variable names by what is on PATH', () => {
    const env = { REDIS_SERVER: '/opt/redis' };
    expect(beforeTests(machine([REDIS_SERVER, CHROMIUM], { env }))).toMatchObject({
      action: 'stop',
    });
  });
});

describe('`npm run setup`', () => {
  it('installs only what is missing', () => {
    expect(setup(machine([APT_GET, REDIS_SERVER]))).toEqual({
      action: 'install',
      packages: ['chromium'],
      extraPackages: ['chromium-headless-shell'],
    });
    expect(setup(machine([APT_GET]))).toEqual({
      action: 'install',
      packages: ['redis-server', 'chromium'],
      extraPackages: ['chromium-headless-shell'],
    });
  });

  it('installs wherever root has apt-get, since it was asked to', () => {
    expect(setup(machine([APT_GET], { isDebian: false }))).toMatchObject({ action: 'install' });
  });

  it('has nothing to do where all is there', () => {
    expect(setup(machine([APT_GET, REDIS_SERVER, CHROMIUM, HEADLESS_SHELL]))).toMatchObject({
      action: 'go on',
    });
  });

  it('says what is missing where it cannot install', () => {
    const decision = setup(machine([APT_GET], { isRoot: false }));
    expect(decision).toEqual({
      action: 'stop',
      message: expect.stringContaining('redis-server: not on PATH'),
    });
  });
});
