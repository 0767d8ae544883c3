const swc = [
  '@swc/jest',
  {
    jsc: {
      target: 'es2023',
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true },
      keepClassNames: true,
    },
    module: { type: 'es6' },
    sourceMaps: 'inline',
    swcrc: false,
  },
];

// Nothing in these files runs, but the v8 provider would count their lines as missed.
const typesOnly = [
  'libs/idle-session/src/session/idle-session.events.ts',
  'libs/idle-session/src/options/idle-session.options.ts',
  'libs/idle-session-client/src/browser/environment.ts',
  'libs/idle-session-client/src/dialog/words/words.ts',
  'libs/idle-session-client/src/protocol/end-reason.ts',
  'libs/idle-session-client/src/protocol/idle-session-status.ts',
  'libs/idle-session-client/src/protocol/index.ts',
  'libs/idle-session-client/src/session/idle-session-options.ts',
  'libs/idle-session-client/src/session/session-context.ts',
];

const project = {
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': swc },
  moduleNameMapper: {
    '^idle-session-client$': '<rootDir>/libs/idle-session-client/src/index.ts',
    '^idle-session-client/protocol$': '<rootDir>/libs/idle-session-client/src/protocol/index.ts',
    '^nestjs-idle-session$': '<rootDir>/libs/idle-session/src/index.ts',
    '^nestjs-idle-session/redis$': '<rootDir>/libs/idle-session/src/redis/index.ts',
    '^nestjs-idle-session/testing$': '<rootDir>/libs/idle-session/src/testing/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
};

/** Runs in the browser, where test/browser tries it; this coverage is of Node alone. */
const browserOnly = [
  'angular/**',
  'browser/activity-listeners.ts',
  'browser/browser-environment.ts',
  'browser/response-observer.ts',
  'client.ts',
  'dialog/dialog-elements.ts',
  'dialog/dialog-view.ts',
  'dialog/idle-session-dialog.ts',
  'dialog/styles.ts',
  'dialog/unlock-form.ts',
  'dialog/warning-dialog.ts',
  'drafts/**',
  'react/**',
  'vue/**',
].map((path) => `libs/idle-session-client/src/${path}`);

/** @type {import('jest').Config} */
export default {
  projects: [
    {
      ...project,
      displayName: 'unit',
      testMatch: ['<rootDir>/libs/*/src/**/*.spec.ts', '<rootDir>/apps/*/src/**/*.spec.ts'],
    },
    { ...project, displayName: 'e2e', testMatch: ['<rootDir>/test/**/*.e2e-spec.ts'] },
  ],
  // Ends only what hangs: some tests compile an application, and the machine may have other work.
  testTimeout: 120_000,
  // On two processors: tests of outages and real time mostly wait.
  maxWorkers: 3,
  // Node.js 20 never frees the ES modules of a test file that is done, some 7 MB: a worker that holds more begins anew.
  workerIdleMemoryLimit: '300MB',
  // By its whole path: scripts/compat.mjs takes this from a folder of its own.
  testSequencer: `${import.meta.dirname}/test/support/longest-first.cjs`,
  reporters: ['default', './test/support/summary-reporter.js'],
  coverageProvider: 'v8',
  collectCoverageFrom: [
    'libs/*/src/**/*.ts',
    '!**/*.spec.ts',
    ...[...typesOnly, ...browserOnly].map((path) => `!${path}`),
  ],
  coverageReporters: [['text', { skipFull: true }]],
  coverageThreshold: { global: { lines: 95 } },
};
