import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

interface Exports {
  readonly [path: string]: string | { readonly [condition: string]: string }
}

interface Manifest {
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly license?: string
  readonly type?: string
  readonly sideEffects?: boolean
  readonly engines?: { readonly node?: string }
  readonly files?: ReadonlyArray<string>
  readonly exports?: Exports
  readonly bin?: { readonly [name: string]: string }
  readonly repository?: { readonly url?: string }
  readonly keywords?: ReadonlyArray<string>
  readonly publishConfig?: { readonly exports?: Exports }
  readonly dependencies?: { readonly [name: string]: string }
  readonly devDependencies?: { readonly [name: string]: string }
}

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string): string => readFileSync(`${root}${path}`, 'utf8')

const files = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' })
  .split('\0')
  .filter((path) => path !== '' && existsSync(`${root}${path}`))
const code = files.filter((path) => /\.tsx?$/.test(path))
const sources = code.filter((path) => /\/src\//.test(path) && !/\.test\.tsx?$/.test(path))

const packages = files.filter((path) => /.\/package\.json$/.test(path)).map((path) => path.replace('/package.json', ''))
// border: pnpm reads the same files and rejects invalid manifests
const manifest = (pkg: string): Manifest => JSON.parse(read(`${pkg}/package.json`)) as Manifest
const published = packages.filter((pkg) => manifest(pkg).private !== true)

/** The private packages that the build of a published command takes in. */
const bundledIn = (pkg: string): ReadonlyArray<Manifest> => {
  const { bin, devDependencies = {} } = manifest(pkg)
  if (bin === undefined) return []
  const own = packages
    .map(manifest)
    .filter(({ name, private: isPrivate }) => isPrivate === true && name in devDependencies)
  return own.filter(({ name }) => name !== '@netbox-pbs/testing')
}

describe('a package', () => {
  test('has a README', () => {
    expect(packages.filter((pkg) => !files.includes(`${pkg}/README.md`))).toEqual([])
  })

  test('has a dependency rule, and every rule has its package', () => {
    const config: unknown = createRequire(import.meta.url)('../.dependency-cruiser.cjs')
    expect(config).toHaveProperty('forbidden')
    const { forbidden } = config as { forbidden: ReadonlyArray<{ name: string }> } // border: a configuration in plain JavaScript
    const names = forbidden.map(({ name }) => name).filter((name) => name.startsWith('dependencies-of-'))
    expect(names.sort()).toEqual(packages.map((pkg) => `dependencies-of-${pkg.replace('/', '-')}`).sort())
  })

  test.each([
    ['store', 'packages/store-postgres/src'],
    ['api', 'apps/api/src'],
  ])('has the layers that ARCHITECTURE.md shows: %s', (name, folder) => {
    const config: unknown = createRequire(import.meta.url)('../.dependency-cruiser.cjs')
    const { forbidden } = config as { forbidden: ReadonlyArray<{ name: string; comment?: string }> } // border: as above
    const [, table = ''] = read('ARCHITECTURE.md').split(`| folders of ${folder} | what they are |\n| --- | --- |\n`)
    const [rows = ''] = table.split('\n\n')
    const layers = rows
      .split('\n')
      .map((row) => [...(row.split(' | ')[0] ?? '').matchAll(/`([^`]+)`/g)].map(([, one]) => one))
    const shown = layers.flatMap((folders, nth) =>
      folders.map((one) => `${one} may import ${['itself', ...layers.slice(0, nth).flat()].join(', ')}`),
    )
    const rules = forbidden.filter((rule) => rule.name.startsWith(`${name}-layer-`))
    expect(shown).toEqual(rules.map(({ comment }) => comment))
  })

  test.each(packages)('%s declares every package that its sources import', (pkg) => {
    const { name, dependencies = {} } = manifest(pkg)
    const declared = [name, ...Object.keys(dependencies), ...bundledIn(pkg).map((one) => one.name)]
    const own = sources.filter((path) => path.startsWith(`${pkg}/src/`)).map(read)
    const imported = own.flatMap((text) => [...text.matchAll(/from '(@netbox-pbs\/[a-z-]+)/g)].map(([, one]) => one))
    expect([...new Set(imported)].filter((one) => one === undefined || !declared.includes(one))).toEqual([])
  })
})

const home = 'https://github.com/netbox-pbs/netbox-pbs'

test('all packages have one version', () => {
  expect(new Set(packages.map((pkg) => manifest(pkg).version)).size).toBe(1)
  expect(JSON.parse(read('.changeset/config.json'))).toMatchObject({ fixed: [['netbox-pbs', '@netbox-pbs/*']] })
})

describe.each(published)('%s, which is published,', (pkg) => {
  const { exports = {}, publishConfig, dependencies = {}, keywords, ...rest } = manifest(pkg)

  test('says what its users need to know', () => {
    expect(rest).toMatchObject({
      description: expect.stringMatching(/\.$/),
      license: 'Apache-2.0',
      repository: { type: 'git', url: `git+${home}.git`, directory: pkg },
      homepage: `${home}/tree/main/${pkg}#readme`,
      bugs: `${home}/issues`,
      type: 'module',
      engines: { node: expect.stringMatching(/^>=22(\.\d+)?$/) },
      files: ['dist', 'README.md'],
      ...(rest.bin === undefined ? { sideEffects: false } : {}),
    })
    expect(keywords).toEqual([...new Set(keywords)].sort())
    expect(keywords).toEqual(expect.arrayContaining(['netbox', 'pbs', 'proxmox-backup-server']))
  })

  test('is built when it is packed', () => {
    expect(rest).toMatchObject({ scripts: { build: 'tsup', prepack: 'turbo run build --output-logs=errors-only' } })
  })

  test('exports its built files, and its sources only at home', () => {
    const atHome = Object.entries(exports).flatMap(([path, target]) => {
      if (typeof target === 'string') return [[path, target]]
      const { source, ...built } = target
      return Object.keys(built).length === 0 ? [] : [[path, built]] // a path with a source alone is for our own tests
    })
    expect(publishConfig).toEqual({ access: 'public', provenance: true, exports: Object.fromEntries(atHome) })
  })

  test('depends on published packages only', () => {
    const names = published.map((one) => manifest(one).name)
    const packages = Object.keys(dependencies).filter((name) => dependencies[name]?.startsWith('workspace:'))
    expect(packages.filter((name) => !names.includes(name))).toEqual([])
  })

  test('depends on what the private packages need that it bundles', () => {
    const bundled = bundledIn(pkg)
    const needed = bundled.flatMap((one) => Object.entries(one.dependencies ?? {}))
    const outside = needed.filter(([name]) => !bundled.some((one) => one.name === name))
    expect(dependencies).toMatchObject(Object.fromEntries(outside))
  })
})

describe('the repository', () => {
  test('names the same Node for editors and CI as for its own scripts', () => {
    expect(read('pnpm-workspace.yaml')).toContain(`\n  node: ${read('.node-version').trim()}\n`)
  })

  test('has a program for each script that runs one', () => {
    const programs: Readonly<Record<string, { readonly main: string }>> = JSON.parse(read('bin/programs.json'))
    const scripts: Readonly<Record<string, string>> = JSON.parse(read('package.json')).scripts
    const run = Object.values(scripts).flatMap((script) => /^node bin\/run\.mjs (\S+)/.exec(script)?.[1] ?? [])
    expect([...new Set(run)].sort()).toEqual(Object.keys(programs).sort())
    expect(Object.values(programs).filter(({ main }) => !files.includes(main))).toEqual([])
  })

  test('has one address', () => {
    const addresses = files.flatMap((path) => read(path).match(/https:\/\/github\.com\/netbox-pbs\/[\w-]+/g) ?? [])
    expect([...new Set(addresses)]).toEqual([home])
  })

  test.each(files.filter((path) => path.endsWith('.md')))('%s links to files that exist', (path) => {
    const links = [...read(path).matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)].map(([, link = '']) => link)
    const local = links.filter((link) => !/^[a-z]+:/.test(link))
    expect(local.filter((link) => !existsSync(new URL(link, `file://${root}${path}`)))).toEqual([])
  })

  // A decision and a changeset speak of the time when they were written.
  test.each(files.filter((path) => /^(?!\.changeset|docs\/decisions).*\.md$/.test(path)))(
    '%s names files that exist',
    (path) => {
      const names = [...read(path).matchAll(/`((?:apps|packages|tools|bench|docs|test|src|bin|\.ci)\/[\w./-]+)`/g)].map(
        ([, name = '']) => name,
      )
      const places = [root, `${dirname(root + path)}/`]
      expect(names.filter((name) => !places.some((place) => existsSync(place + name)))).toEqual([])
    },
  )
})

test('the word list of the spelling check is sorted, and each of its words is in a file', () => {
  const words = read('cspell-words.txt')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  expect(words).toEqual([...new Set(words)].sort())
  const others = files.filter((path) => !['cspell-words.txt', 'pnpm-lock.yaml', 'apps/api/openapi.json'].includes(path))
  const text = others.map(read).join('\n').toLowerCase()
  expect(words.filter((word) => !text.includes(word))).toEqual([])
})

describe('the files', () => {
  const found = (paths: ReadonlyArray<string>, pattern: RegExp): ReadonlyArray<string> =>
    paths.flatMap((path) =>
      read(path)
        .split('\n')
        .flatMap((line, i) => (pattern.test(line) ? [`${path}:${i + 1}: ${line.trim()}`] : [])),
    )

  test('name no path of a machine', () => {
    expect(found(files, /(?:^|[\s"'`(=:])\/(?:home|root|Users|work)\/\w/)).toEqual([])
  })

  test('name no package registry, and the lockfile no download address', () => {
    expect(found(files, /registry\.(?:npmjs|yarnpkg)\.|npm\.pkg\.github/)).toEqual([])
    expect(found(['pnpm-lock.yaml'], /https?:|tarball:/)).toEqual([])
  })

  test('are named after what they hold', () => {
    expect(files.filter((path) => /(?:^|[/.-])(?:utils?|helpers?|common|managers?)(?:[/.-]|$)/i.test(path))).toEqual([])
  })

  // app-shell depends on no package of ours, so its log drops a zero fraction itself.
  test("write times as text by core's timestamp module only", () => {
    const free = ['packages/core/src/timestamp.ts', 'packages/app-shell/src/log.ts']
    const others = sources.filter((path) => !free.includes(path))
    expect(found(others, /toISOString\(|\bformatIso/)).toEqual([])
  })

  // esbuild gives two constants of this name in one file of a bundle no other names, and the program does not start.
  test('declare no `from` outside of functions', () => {
    expect(found(sources, /^(?:export )?(?:const|let) from\b/m)).toEqual([])
  })

  test('of source stop at 400 lines', () => {
    expect(sources.filter((path) => read(path).split('\n').length > 400)).toEqual([])
  })

  test("read the environment in an app's config.ts only, tests and their setup apart", () => {
    const free =
      /^apps\/[^/]+\/src\/config\.ts$|\/test\/|\.test\.tsx?$|^packages\/testing\/src\/global-setup\.ts$|^test\//
    expect(
      found(
        code.filter((path) => !free.test(path)),
        /process\.env\b/,
      ),
    ).toEqual([])
  })
})
