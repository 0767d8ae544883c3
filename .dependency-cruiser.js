// Who may import whom. `npm run lint` checks it; test/tooling tries each rule.

/** From top to bottom: a line imports only from the lines below it, and its folders not from each other. */
const server = [
  ['index'],
  ['idle-session.module'],
  ['idle-session-core.module'],
  ['idle-session.service'],
  ['endpoints'],
  ['request'],
  ['session'],
  ['options'],
  ['redis', 'testing'],
  ['activity'],
  ['utils'],
];
const client = [
  ['client'],
  ['index'],
  ['angular', 'react', 'vue'],
  ['dialog', 'drafts'],
  ['session'],
  ['browser'],
  ['protocol'],
];

const ours = '^(apps|bench|libs|scripts|test)/';
const spec = '[.]spec[.]ts$';
const testing = '^libs/[^/]+/(src/)?testing/';
const entry = '^libs/idle-session-client/src/(angular|react|vue)/';
const framework = '^node_modules/(@angular|react|vue)/';
const protocol = '^libs/idle-session-client/src/protocol/';

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...order('libs/idle-session/src', server),
    ...order('libs/idle-session-client/src', client),
    rule('only specs import testing', {
      from: { path: '^libs/', pathNot: [spec, testing] },
      to: { path: testing },
    }),
    rule('a library imports only itself; the server also the protocol of the client', {
      from: { path: '^libs/([^/]+)/src/' },
      to: { path: ours, pathNot: ['^libs/$1/', protocol] },
    }),
    rule('apps and libraries import each other by package name', {
      from: { path: '^(apps|libs)/([^/]+)/src/' },
      to: { path: ours, pathNot: '^$1/$2/', dependencyTypesNot: ['aliased'] },
    }),
    rule('only the entry point of a framework imports it', {
      from: { path: '^libs/', pathNot: entry },
      to: { path: framework },
    }),
    rule('only the entry point of a framework imports it', {
      from: { path: entry },
      to: { path: framework, pathNot: '^node_modules/@?$1/' },
    }),
    rule('no circles', { from: {}, to: { circular: true } }),
    // A page of the sample imports by address, which starts with a slash.
    rule('every import leads somewhere', {
      from: {},
      to: { couldNotResolve: true, pathNot: '^/' },
    }),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    tsConfig: { fileName: 'tsconfig.json' },
    // Packages that have nothing but `exports`.
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'default'] },
    // An `import type` counts like any other.
    tsPreCompilationDeps: true,
  },
};

/**
 * @param {string} root
 * @param {string[][]} lines names of folders, and of files at the root without their extension
 */
function order(root, lines) {
  const inRoot = `^${root}/`;
  /** @param {string} name */
  const pathOf = (name) => `${inRoot}${name}(/|([.]spec)?[.]ts$)`;
  const unlisted = { path: inRoot, pathNot: lines.flat().map(pathOf) };
  return [
    rule(`${root}: every folder has its place in the order`, { from: unlisted, to: {} }),
    rule(`${root}: every folder has its place in the order`, { from: {}, to: unlisted }),
    ...lines.flatMap((line, index) => {
      const below = lines
        .slice(index + 1)
        .flat()
        .map(pathOf);
      return line.map((name) =>
        rule(`${root}/${name} imports only from below it`, {
          from: { path: pathOf(name) },
          // Testing has a rule of its own.
          to: { path: inRoot, pathNot: [pathOf(name), ...below, testing] },
        }),
      );
    }),
  ];
}

/**
 * @param {string} name
 * @param {Pick<import('dependency-cruiser').IRegularForbiddenRuleType, 'from' | 'to'>} imports
 * @returns {import('dependency-cruiser').IRegularForbiddenRuleType}
 */
function rule(name, imports) {
  return { name, severity: 'error', ...imports };
}
