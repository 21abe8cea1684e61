// The arrows of ARCHITECTURE.md: which room may import which. Everything not allowed is forbidden.
const rooms = {
  'packages/core': [],
  'packages/proxbox-client': ['packages/core'],
  'packages/pbs-client': ['packages/core'],
  'packages/sync': ['packages/core'],
  'packages/store-postgres': ['packages/core'],
  'packages/testing': ['packages/core'],
  'tools/pbs-simulator': ['packages/core'],
  'apps/api': ['packages/core', 'packages/sync', 'packages/store-postgres', 'packages/proxbox-client'],
  'apps/worker': ['packages/core', 'packages/sync', 'packages/store-postgres', 'packages/proxbox-client'],
  'apps/gateway': [
    'packages/core',
    'packages/pbs-client',
    'packages/store-postgres',
    'packages/proxbox-client/src/contract',
  ],
  'apps/standalone': ['packages/', 'apps/', 'tools/'],
  bench: ['packages/', 'apps/', 'tools/'],
}
const anyRoom = '^(packages|apps|tools|bench)/'
const sources = (room) => `^${room}/src/(?!.*\\.test\\.tsx?$)`

const arrows = Object.entries(rooms).map(([room, allowed]) => ({
  name: `arrows-of-${room.replace('/', '-')}`,
  comment: `${room} may import ${allowed.length === 0 ? 'no other room' : allowed.join(', ')}`,
  severity: 'error',
  from: { path: sources(room) },
  to: { path: anyRoom, pathNot: [`^${room}/`, ...allowed.map((path) => `^${path}`)] },
}))

/** Frameworks are named in few rooms only. */
const frameworks = {
  effect: [
    'packages/core/src/ports',
    'packages/proxbox-client',
    'packages/pbs-client',
    'packages/sync',
    'packages/store-postgres',
    'packages/testing',
    'apps',
    'tools',
    'bench',
  ],
  kysely: ['packages/store-postgres'],
  'pg|pg-boss|@electric-sql/pglite': ['packages/store-postgres', 'packages/testing', 'bench'],
  'hono|@hono/[^/]+': ['apps/api', 'apps/gateway'],
}
const frameworkRules = Object.entries(frameworks).map(([names, allowed]) => ({
  name: `only-where-it-belongs-${names.split('|')[0].replace(/\W/g, '')}`,
  severity: 'error',
  from: { path: `${anyRoom}[^/]+/?.*src/(?!.*\\.test\\.tsx?$)`, pathNot: allowed.map((path) => `^${path}`) },
  to: { path: `(^|/)node_modules/(${names})/` },
}))

module.exports = {
  forbidden: [
    ...arrows,
    ...frameworkRules,
    { name: 'no-cycles', severity: 'error', from: { pathNot: 'node_modules' }, to: { circular: true } },
    {
      name: 'core-is-pure',
      comment: 'core knows no platform',
      severity: 'error',
      from: { path: sources('packages/core') },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'contract-is-zod-only',
      severity: 'error',
      from: { path: '^packages/proxbox-client/src/contract/(?!.*\\.test\\.ts$)' },
      to: { path: 'node_modules/', pathNot: 'node_modules/zod/' },
    },
    {
      name: 'testing-is-for-tests',
      severity: 'error',
      from: { path: `${anyRoom}[^/]+/?.*src/(?!.*\\.test\\.tsx?$)`, pathNot: ['^packages/testing/', '^bench/'] },
      to: { path: '^packages/testing/' },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'declared',
      comment: 'every import is declared in the package that uses it',
      severity: 'error',
      from: { pathNot: '\\.(test|config)\\.tsx?$|/test/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev'], dependencyTypesNot: ['npm-peer'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(packages|apps|tools|bench)/.*/(dist|node_modules)/|\\.config\\.ts$' },
    tsPreCompilationDeps: true,
    combinedDependencies: false,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'types', 'import', 'node', 'default'],
      extensions: ['.ts', '.tsx', '.js', '.mjs', '.json'],
    },
    tsConfig: { fileName: 'tsconfig.json' },
  },
}
