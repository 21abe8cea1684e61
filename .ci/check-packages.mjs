// Uses every published package as others would: packs it without a build before, has publint and
// attw read the tarball, installs the tarballs into empty folders, and there runs what the READMEs
// show on Node 22, compiles it, and starts the programs of the command.
import { execFile } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { installCommand, signalEveryStarter, startDemo, startUnits } from './use-command.mjs'

/** The oldest release of Node that the packages promise to run on. */
const oldestNode = '22'
/** The README of core promises it. */
const mostBytesOfGuard = 5000
const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'netbox-pbs-packages-'))
const node = join(folder, 'libraries/node_modules/.bin/node')

/** Runs a program until it ends and returns its standard output; its error has everything that it wrote. */
async function run(program, args, options = {}) {
  try {
    return (await promisify(execFile)(program, args, { cwd: root, maxBuffer: 2 ** 26, ...options })).stdout
  } catch ({ message, stdout, stderr }) {
    throw new Error(`${message}\n${stdout}\n${stderr}`)
  }
}

async function timed(what, work) {
  const begun = performance.now()
  const result = await work()
  process.stdout.write(`${what}: ${((performance.now() - begun) / 1000).toFixed(1)} s\n`)
  return result
}

const packages = globSync('{packages,apps}/*/package.json', { cwd: root })
  .map((path) => ({ path: join(root, path, '..'), manifest: JSON.parse(readFileSync(join(root, path), 'utf8')) }))
  .filter(({ manifest }) => manifest.private !== true)
  .map(({ path, manifest: { name, publishConfig, peerDependencies } }) => ({
    path,
    name,
    peers: Object.keys(peerDependencies ?? {}),
    modules: Object.keys(publishConfig.exports).filter((one) => !one.endsWith('.json')),
    tarball: join(folder, `${name.replace(/\W+/g, '-')}.tgz`),
  }))
const command = packages.find(({ name }) => name === 'netbox-pbs')
const libraries = packages.filter((one) => one !== command)

/** Packs them; `dist` is removed first, so that a package that relies on an earlier build fails here. */
async function pack() {
  for (const { path } of packages) rmSync(join(path, 'dist'), { recursive: true, force: true })
  // The command depends on all others: its build is that of all.
  for (const { path, tarball } of [command, ...libraries]) await run('pnpm', ['pack', '--out', tarball], { cwd: path })
}

/** Reads the tarball as publishing tools and TypeScript's resolution do. */
async function read({ name, tarball }) {
  await run('publint', ['--strict', tarball])
  if (name !== command.name) await run('attw', ['--profile', 'esm-only', tarball])
  const manifest = await run('tar', ['--extract', '--to-stdout', '--file', tarball, 'package/package.json'])
  const left = /"(?:workspace|catalog):[^"]*"|"source":/.exec(manifest)
  if (left) throw new Error(`The package.json in the tarball of ${name} still says ${left[0]}.`)
  await run('tar', ['--extract', '--to-stdout', '--file', tarball, 'package/LICENSE'])
}

/**
 * A project for each library, in which nothing can be imported but what the library's user
 * installs: the library, what its example imports, and effect.
 */
async function useLibraries() {
  const home = join(folder, 'libraries')
  const tarballs = Object.fromEntries(packages.map(({ name, tarball }) => [name, `file:${tarball}`]))
  const effect = JSON.parse(readFileSync(join(root, 'packages/core/package.json'), 'utf8')).peerDependencies.effect
  const vitest = /^ {2}vitest: (.*)$/m.exec(readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8'))[1]
  const projects = libraries.map(({ name, modules, tarball, path, peers }) => {
    const readme = readFileSync(join(path, 'README.md'), 'utf8')
    const examples = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code)
    if (examples.length === 0) throw new Error(`The README of ${name} shows no example.`)
    const imported = examples.flatMap((code) =>
      [...code.matchAll(/from '(@netbox-pbs\/[\w-]+)/g)].map(([, one]) => one),
    )
    const dependencies = {
      effect,
      ...(peers.includes('vitest') ? { vitest } : {}),
      ...Object.fromEntries([name, ...imported].map((one) => [one, tarballs[one]])),
    }
    const project = join(home, tarball.slice(folder.length + 1, -'.tgz'.length))
    writeJson(join(project, 'package.json'), {
      name: `uses-${name.replace(/\W+/g, '-')}`,
      type: 'module',
      dependencies,
    })
    for (const [i, code] of examples.entries()) writeFileSync(join(project, `example-${i + 1}.ts`), code)
    const namespaces = modules.map((one, i) => `import * as module${i} from '${name}${one.slice(1)}'`)
    const check = modules.map(
      (one, i) => `if (Object.keys(module${i}).length === 0) throw new Error('${one} exports nothing')`,
    )
    writeFileSync(join(project, 'exports.ts'), [...namespaces, ...check, ''].join('\n'))
    for (const module of ['nodenext', 'bundler']) writeJson(join(project, `tsconfig.${module}.json`), tsconfig(module))
    return { project, files: ['exports.ts', ...examples.map((_, i) => `example-${i + 1}.ts`)] }
  })
  writeJson(join(home, 'package.json'), { private: true, devDependencies: { node: oldestNode } })
  writeJson(join(home, 'pnpm-workspace.yaml'), {
    packages: ['*'],
    overrides: tarballs,
    allowBuilds: { node: true },
    strictDepBuilds: false,
  })
  await timed('  install', () => run('pnpm', ['install', '--no-frozen-lockfile', '--prefer-offline'], { cwd: home }))
  await timed(`  run on Node ${oldestNode}`, () =>
    eachOf(projects, ({ project: cwd, files }) => inTurn(files, (file) => run(node, [file], { cwd }))),
  )
  await timed('  test an adapter', () => testAdapter(projects.find(({ project }) => project.endsWith('-sync')).project))
  await timed('  bundle one function', () =>
    bundleOneFunction(projects.find(({ project }) => project.endsWith('-core')).project),
  )
  await timed('  compile', () =>
    eachOf(projects, ({ project }) =>
      inTurn(['nodenext', 'bundler'], (module) => compile(join(project, `tsconfig.${module}.json`))),
    ),
  )
}

/** The adapter of docs/write-an-adapter.md, and the published suite as the page uses it. */
async function testAdapter(project) {
  const page = readFileSync(join(root, 'docs/write-an-adapter.md'), 'utf8')
  const [adapter, , suite] = [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code)
  const snapshot = "{ 'backup-type': 'vm', 'backup-id': '100', 'backup-time': 1780000000, owner: 'a@pbs', size: 1 }"
  const listed = `const listed = { 'pbs-a': { tank: [${snapshot}] }, 'pbs-b': {} }`
  mkdirSync(join(project, 'adapter'))
  writeFileSync(join(project, 'adapter/listed-source.ts'), adapter)
  writeFileSync(
    join(project, 'adapter/source.test.ts'),
    `import { listedSource } from './listed-source.ts'\n${suite}\n${listed}\n`,
  )
  const report = join(project, 'adapter/report.json')
  const args = ['run', '--root', project, '--reporter=json', `--outputFile=${report}`]
  await run(node, ['node_modules/vitest/vitest.mjs', ...args], { cwd: project })
  const { numPassedTests } = JSON.parse(readFileSync(report, 'utf8'))
  if (numPassedTests === 0) throw new Error('The suite of the page has no test.')
}

/** A script that takes one pure function of core must not get the rest of it, or zod. */
async function bundleOneFunction(project) {
  const { outputFiles } = await build({
    stdin: { contents: "export { guard } from '@netbox-pbs/core'", resolveDir: project },
    bundle: true,
    minify: true,
    format: 'esm',
    write: false,
  })
  const bytes = outputFiles[0].contents.byteLength
  if (bytes > mostBytesOfGuard) throw new Error(`guard alone bundles to ${bytes} bytes, more than ${mostBytesOfGuard}.`)
}

/** Compiles a project; an error in the declarations of any package that it imports counts. */
async function compile(config) {
  const tsc = ['node_modules/tsc7/bin/tsc', '--pretty', 'false', '--project', config]
  await run(process.execPath, tsc)
}

const tsconfig = (moduleResolution) => ({
  compilerOptions: {
    target: 'es2022',
    module: moduleResolution === 'bundler' ? 'esnext' : moduleResolution,
    moduleResolution,
    strict: true,
    noEmit: true,
    types: [],
  },
  include: ['*.ts'],
})

/** The command on the oldest Node, as operators install and start it. */
async function useCommand() {
  const home = join(folder, 'command')
  mkdirSync(home)
  const node = realpathSync(join(folder, 'libraries/node_modules/node/bin/node'))
  await timed('  install', () =>
    installCommand(
      home,
      packages.map(({ tarball }) => tarball),
    ),
  )
  await timed('  start --demo', () => startDemo(home, node))
  await timed('  start by Node alone', () => startUnits(home, node))
  await timed('  signals', () => signalEveryStarter(home, node))
}

function writeJson(path, value) {
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, JSON.stringify(value, null, 2))
}

const eachOf = (list, work) => Promise.all(list.map(work))

async function inTurn(list, work) {
  for (const one of list) await work(one)
}

try {
  await timed('pack', pack)
  await timed('publint and attw', () => eachOf(packages, read))
  await timed('use the libraries', useLibraries)
  await timed('use the command', useCommand)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
