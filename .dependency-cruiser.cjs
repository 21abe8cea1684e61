// Which package may import which, as ARCHITECTURE.md has it. Everything not allowed is forbidden.
const packages = {
  'packages/core': [],
  'packages/proxbox-client': ['packages/core'],
  'packages/pbs-client': ['packages/core'],
  'packages/sync': ['packages/core'],
  'packages/store-postgres': ['packages/core'],
  'packages/app-shell': [],
  'packages/testing': ['packages/core'],
  'tools/pbs-simulator': ['packages/core', 'packages/app-shell'],
  'apps/api': [
    'packages/core',
    'packages/sync',
    'packages/store-postgres',
    'packages/proxbox-client',
    'packages/app-shell',
  ],
  'apps/worker': [
    'packages/core',
    'packages/sync',
    'packages/store-postgres',
    'packages/proxbox-client',
    'packages/app-shell',
  ],
  'apps/gateway': [
    'packages/app-shell',
    'packages/core',
    'packages/pbs-client',
    'packages/store-postgres',
    'packages/proxbox-client/src/contract',
  ],
  'apps/standalone': ['packages/', 'apps/', 'tools/'],
  bench: ['packages/', 'apps/', 'tools/'],
}
const anyPackage = '^(packages|apps|tools|bench)/'
const sources = (pkg) => `^${pkg}/src/(?!.*\\.test\\.tsx?$)`
const anySource = sources('((packages|apps|tools)/[^/]+|bench)')

const packageRules = Object.entries(packages).map(([pkg, allowed]) => ({
  name: `dependencies-of-${pkg.replace('/', '-')}`,
  comment: `${pkg} may import ${allowed.length === 0 ? 'no other package' : allowed.join(', ')}`,
  severity: 'error',
  from: { path: sources(pkg) },
  to: { path: anyPackage, pathNot: [`^${pkg}/`, ...allowed.map((path) => `^${path}`)] },
}))

/** Frameworks are named in few packages only. */
const frameworks = {
  'effect|@effect/[^/]+': [
    'packages/core/src/ports',
    'packages/proxbox-client',
    'packages/pbs-client',
    'packages/sync',
    'packages/store-postgres',
    'packages/app-shell',
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
  from: { path: anySource, pathNot: allowed.map((path) => `^${path}`) },
  to: { path: `(^|/)node_modules/(${names})/` },
}))

/**
 * The folders of a package, lowest layer first. A folder may import the folders of lower layers,
 * never one of its own layer or above; a file next to them only where `shared` has it.
 */
const layerRules = (name, { src, layers, shared = [] }) => [
  ...layers.flatMap((folders, layer) =>
    folders.map((folder) => {
      const lower = layers.slice(0, layer).flat()
      return {
        name: `${name}-layer-${folder}`,
        comment: `${folder} may import ${['itself', ...lower].join(', ')}`,
        severity: 'error',
        from: { path: `${src}${folder}/` },
        to: { path: src, pathNot: [...[folder, ...lower].map((one) => `${src}${one}/`), ...shared] },
      }
    }),
  ),
  {
    name: `${name}-folder-has-a-layer`,
    severity: 'error',
    from: { path: `${src}[^/]+/`, pathNot: layers.flat().map((folder) => `${src}${folder}/`) },
    to: {},
  },
]

const storeLayers = [
  ['database'],
  ['tables', 'queue', 'secret-box', 'workers'],
  ['change-log', 'lists', 'migrations', 'observations', 'scopes'],
  ['custom-values'],
  ['writes', 'accounts', 'definitions', 'gateway-store', 'held-deletions', 'runs', 'settings'],
  ['change-sets', 'edits', 'events', 'guests', 'inventory', 'protection', 'schedules'],
  ['branches', 'retention'],
  ['overlay'],
  ['findings'],
  ['ports', 'verification'],
]

const apiLayers = [
  ['netbox', 'rest', 'validation'],
  ['accounts', 'branches', 'definitions', 'openid', 'records', 'servers', 'settings'],
  ['inventory', 'openapi'],
  ['runs'],
  ['pages', 'routes'],
  ['http'],
]

const pagesLayers = [
  ['assets', 'components'],
  ['presentations'],
  ['held', 'lists', 'reference', 'servers', 'settings', 'sign-in'],
  ['branches', 'details'],
  ['runs'],
  ['overview'],
]

module.exports = {
  forbidden: [
    ...packageRules,
    ...layerRules('store', { src: '^packages/store-postgres/src/', layers: storeLayers }),
    ...layerRules('api', {
      src: '^apps/api/src/',
      layers: apiLayers,
      shared: ['^apps/api/src/(services|version)\\.ts$'],
    }),
    ...layerRules('pages', {
      src: '^apps/api/src/pages/',
      layers: pagesLayers,
      shared: ['^apps/api/src/pages/[^/]+\\.tsx?$'],
    }),
    ...frameworkRules,
    {
      name: 'by-name',
      comment: 'another package is imported by its name, so that its exports decide what can be seen',
      severity: 'error',
      from: { path: '^((?:packages|apps|tools)/[^/]+|bench)/' },
      to: { path: anyPackage, pathNot: '^$1/', dependencyTypes: ['local'] },
    },
    {
      name: 'apps-are-not-imported',
      comment: 'tests included; only standalone and bench compose apps',
      severity: 'error',
      from: { path: '^((?:packages|apps|tools)/[^/]+)/', pathNot: '^apps/standalone/' },
      to: { path: '^apps/', pathNot: '^$1/' },
    },
    { name: 'no-cycles', severity: 'error', from: { pathNot: 'node_modules' }, to: { circular: true } },
    {
      name: 'core-is-pure',
      comment: 'core knows no platform',
      severity: 'error',
      from: { path: sources('packages/core') },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'core-is-light',
      comment: 'a browser or a script that takes one function of core loads no library with it',
      severity: 'error',
      from: { path: sources('packages/core'), pathNot: '^packages/core/src/(ports/|settings\\.ts$)' },
      to: { path: ['node_modules/', '^packages/core/src/settings\\.ts$'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'contract-is-zod-only',
      comment: 'both ends of the wire use the contract: nothing of the client comes along',
      severity: 'error',
      from: { path: '^packages/proxbox-client/src/contract/(?!.*\\.test\\.ts$)' },
      to: {
        path: ['node_modules/', '^packages/', '^[^/]+$'],
        pathNot: ['node_modules/zod/', '^packages/core/src/(?!ports/)', '^packages/proxbox-client/src/contract/'],
      },
    },
    {
      name: 'testing-is-for-tests',
      severity: 'error',
      from: { path: anySource, pathNot: ['^packages/testing/', '^bench/'] },
      to: { path: '^packages/testing/' },
    },
    // pnpm links only declared packages: others cannot be resolved, unless the root has them for its tests.
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'declared-for-users',
      comment: 'what a source imports is there when the package is installed',
      severity: 'error',
      from: { path: anySource },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm', 'npm-peer', 'type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(packages|apps|tools|bench)/.*/(dist|node_modules)/|\\.config\\.ts$' },
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'types', 'import', 'node', 'default'],
      extensions: ['.ts', '.tsx', '.js', '.mjs', '.json'],
    },
    tsConfig: { fileName: 'tsconfig.json' },
  },
}
