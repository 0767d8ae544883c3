import { describe, expect, it } from '@jest/globals';
import { beforeTests, setup, type Machine } from '../../scripts/tools.mjs';

const APT_GET = '/usr/bin/apt-get';
const REDIS_SERVER = '/usr/bin/redis-server';
const CHROMIUM = '/usr/bin/chromium';

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
    const decision = beforeTests(machine([APT_GET, CHROMIUM]));
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
    });
    expect(setup(machine([APT_GET]))).toEqual({
      action: 'install',
      packages: ['redis-server', 'chromium'],
    });
  });

  it('installs wherever root has apt-get, since it was asked to', () => {
    expect(setup(machine([APT_GET], { isDebian: false }))).toMatchObject({ action: 'install' });
  });

  it('has nothing to do where all is there', () => {
    expect(setup(machine([APT_GET, REDIS_SERVER, CHROMIUM]))).toMatchObject({ action: 'go on' });
  });

  it('says what is missing where it cannot install', () => {
    const decision = setup(machine([APT_GET], { isRoot: false }));
    expect(decision).toEqual({
      action: 'stop',
      message: expect.stringContaining('redis-server: not on PATH'),
    });
  });
});
