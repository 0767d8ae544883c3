import { describe, expect, it } from '@jest/globals';
import { beforeTests, setup, type Machine } from '../../scripts/tools.mjs';

const APT_GET = '/usr/bin/apt-get';
const REDIS_SERVER = '/usr/bin/redis-server';
const CHROMIUM = '/usr/bin/chromium';
const HEADLESS_SHELL = '/usr/bin/chromium-headless-shell';
const FIREFOX = '/usr/bin/firefox-esr';
const WEBKIT_DRIVER = '/usr/bin/WebKitWebDriver';
const XVFB = '/usr/bin/Xvfb';

/** All that Debian has, but not the headless shell, without which tests go on. */
const ALL = [REDIS_SERVER, CHROMIUM, FIREFOX, WEBKIT_DRIVER, XVFB];

const without = (...missing: string[]) => ALL.filter((program) => !missing.includes(program));

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
  it('goes on where redis-server and the browsers are on PATH', () => {
    expect(beforeTests(machine(ALL))).toEqual({ action: 'go on' });
  });

  it('goes on with other browsers of the families', () => {
    const others = ['/usr/local/bin/google-chrome', '/usr/local/bin/firefox'];
    const programs = [...without(CHROMIUM, FIREFOX), ...others];
    expect(beforeTests(machine(programs))).toEqual({ action: 'go on' });
  });

  it('goes on where variables name the programs', () => {
    const env = {
      REDIS_SERVER: '/opt/redis',
      CHROMIUM: '/opt/browser',
      FIREFOX: '/opt/fox',
      WEBKIT_DRIVER: '/opt/driver',
      XVFB: '/opt/screen',
    };
    expect(beforeTests(machine(Object.values(env), { env }))).toEqual({ action: 'go on' });
  });

  it.each([
    ['redis-server', REDIS_SERVER],
    ['firefox-esr', FIREFOX],
    ['WebKitWebDriver', WEBKIT_DRIVER],
    ['Xvfb', XVFB],
  ])('runs the setup as root on Debian without %s, and says so in one line', (name, program) => {
    const decision = beforeTests(machine([APT_GET, HEADLESS_SHELL, ...without(program)]));
    expect(decision).toEqual({
      action: 'set up',
      message: expect.stringMatching(
        new RegExp(`^The tests need ${name}\\..*npm run setup.*apt-get.*$`),
      ),
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
    expect(message).toContain('firefox-esr: not on PATH, and FIREFOX is not set');
    expect(message).toContain('WebKitWebDriver: not on PATH, and WEBKIT_DRIVER is not set');
    expect(message).toContain("Debian's package: webkit2gtk-driver");
    expect(message).toContain('npm run setup');
  });

  it('also installs the headless shell, which Debian has beside Chromium', () => {
    expect(beforeTests(machine([APT_GET, ...ALL]))).toEqual({
      action: 'set up',
      message: expect.stringContaining('chromium-headless-shell'),
    });
  });

  it.each<[string, string[], Partial<Machine>]>([
    ['root does not run it', [CHROMIUM], { isRoot: false }],
    ['the system is not Debian', [CHROMIUM], { isDebian: false }],
    ['Chromium comes from elsewhere', ['/usr/local/bin/chromium'], {}],
    ['it is there', [CHROMIUM, HEADLESS_SHELL], {}],
    [
      'a variable names one',
      [CHROMIUM, '/opt/shell'],
      { env: { CHROMIUM_HEADLESS_SHELL: '/opt/shell' } },
    ],
  ])('goes on without the headless shell where %s', (_where, programs, different) => {
    const decision = beforeTests(machine([APT_GET, ...without(CHROMIUM), ...programs], different));
    expect(decision).toEqual({ action: 'go on' });
  });

  it('does not replace what a variable names by what is on PATH', () => {
    const env = { FIREFOX: '/opt/fox' };
    expect(beforeTests(machine(ALL, { env }))).toMatchObject({
      action: 'stop',
    });
  });
});

describe('`npm run setup`', () => {
  it('installs only what is missing', () => {
    expect(setup(machine([APT_GET, ...without(CHROMIUM)]))).toEqual({
      action: 'install',
      packages: ['chromium'],
      extraPackages: ['chromium-headless-shell'],
    });
    expect(setup(machine([APT_GET]))).toEqual({
      action: 'install',
      packages: ['redis-server', 'chromium', 'firefox-esr', 'webkit2gtk-driver', 'xvfb'],
      extraPackages: ['chromium-headless-shell'],
    });
  });

  it('installs wherever root has apt-get, since it was asked to', () => {
    expect(setup(machine([APT_GET], { isDebian: false }))).toMatchObject({ action: 'install' });
  });

  it('has nothing to do where all is there', () => {
    expect(setup(machine([APT_GET, ...ALL, HEADLESS_SHELL]))).toMatchObject({
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
