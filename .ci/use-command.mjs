// Uses the package of the command as operators do: installs it as deploy/Containerfile says, looks for tools of development,
// starts its demo with npx, and starts each program of the systemd units by Node alone.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { startPostgres } from '../packages/testing/src/postgres-server.ts'
import { containerfile, installedAt, installedPackages, startedPrograms, withSecretsAt } from '../test/deploy-files.ts'

/** Needed to build, check or test; none of them belongs on an operator's machine. */
const tools = ['esbuild', 'rollup', 'tsup', 'tsx', 'turbo', 'typescript', 'vite', 'vitest']

/**
 * Installs the tarballs into `home` by the command of the Containerfile, and checks that it brings
 * no tool of development.
 */
export async function installCommand(home, tarballs) {
  const [npm, ...words] = containerfile.install
    .split(' ')
    .flatMap((word) => (word === installedAt ? [home] : word === installedPackages ? tarballs : [word]))
  // npm alone would use the network more than it must.
  await promisify(execFile)(npm, [...words, '--prefer-offline'], { maxBuffer: 2 ** 26 })
  const found = globSync(`${home}/**/node_modules/{${tools.join(',')}}`)
  if (found.length > 0) throw new Error(`The install brings tools of development: ${found.join(', ')}`)
}

/** Starts the demo with npx, which is in `home` with the package, reads a page and a list, and stops it. */
export async function startDemo(home, node) {
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` }
  const args = ['netbox-pbs', 'start', '--demo', '--port', '0', '--gateway-port', '0']
  // A group of its own: a signal to npx alone does not reach what it has started.
  const options = { cwd: home, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true }
  const demo = spawn('npx', args, options)
  const ended = once(demo, 'exit')
  try {
    await readDemo(demo)
  } finally {
    if (demo.exitCode === null) process.kill(-demo.pid, 'SIGTERM')
    await ended
  }
}

/** Reads a list and a style sheet of a demo, as soon as it is ready. */
async function readDemo(demo) {
  const [, page, tokenFile] = await saying(demo, /^netbox-pbs ready: (\S+) token in (.+)$/)
  const headers = { Authorization: `Bearer ${readFileSync(tokenFile, 'utf8').trim()}` }
  const list = await fetch(new URL('/api/plugins/pbs/snapshots/?limit=1', page), { headers })
  const style = await fetch(new URL('static/netbox-pbs.css', page))
  const { count } = await list.json()
  if (!(count > 0) || !style.ok) throw new Error(`The demo has ${count} snapshots; its style answers ${style.status}.`)
}

const said = {
  'netbox-pbs': /^netbox-pbs ready: (\S+)\/plugins\/pbs\/ /,
  gateway: /^The gateway listens on (\S+)$/,
  worker: /^The worker takes /,
  api: /^The API listens on (\S+)$/,
}

/**
 * Starts each program as its systemd unit does, on ports that are free, and stops it by a signal. The
 * environment holds what the unit gives and no PATH: there is nothing but Node.
 */
export async function startUnits(home, node) {
  const postgres = await startPostgres()
  const place = join(home, 'credentials')
  mkdirSync(place, { mode: 0o700 })
  const key = (fill) => Buffer.alloc(32, fill).toString('base64')
  const secrets = {
    'database-url': postgres.url,
    'secret.key': key(1),
    'gateway-secret.key': key(2),
    'gateway-api.key': key(3),
  }
  for (const [name, text] of Object.entries(secrets)) writeFileSync(join(place, name), `${text}\n`)
  const running = []
  try {
    const byName = Object.groupBy(
      startedPrograms.filter(({ from }) => from.endsWith('.service')),
      ({ program }) => program,
    )
    let gateway = ''
    for (const name of Object.keys(said)) {
      const [unit] = byName[name]
      const env = { ...withSecretsAt(unit, place), ...(gateway !== '' && { NETBOX_PBS_GATEWAY_URL: gateway }) }
      if (env.XDG_STATE_HOME !== undefined) env.XDG_STATE_HOME = join(home, 'state')
      const ports = { 'netbox-pbs': ['--port', '0', '--gateway-port', '0'], worker: [] }[name] ?? ['--port', '0']
      const program = join(home, 'node_modules/netbox-pbs/dist', `${name}.js`)
      const child = spawn(node, [...unit.nodeFlags, program, ...unit.args, ...ports], {
        cwd: '/',
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      running.push(child)
      const [, url = ''] = await saying(child, said[name])
      if (name === 'gateway') gateway = url
      const probe = { 'netbox-pbs': '/readyz', api: '/readyz', gateway: '/health' }[name]
      if (probe === undefined) continue
      const { status } = await fetch(new URL(probe, url))
      if (status !== 200) throw new Error(`${name} answers ${probe} with ${status}.`)
    }
    const signals = ['SIGINT', 'SIGTERM', 'SIGTERM', 'SIGINT']
    for (const [i, child] of running.entries()) {
      child.kill(signals[i])
      const [code] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode]
      if (code !== 0) throw new Error(`${child.spawnargs.join(' ')} ended with ${code} after ${signals[i]}.`)
    }
  } finally {
    for (const child of running) child.kill('SIGKILL')
    await postgres.stop()
  }
}

/** The command's link, a shell in front of it and one that stays: a signal to any starter reaches the program. */
export async function signalEveryStarter(home, node) {
  const bin = join(home, 'node_modules/.bin/netbox-pbs')
  const link = join(home, 'netbox-pbs')
  symlinkSync(bin, link)
  const PATH = `${dirname(node)}${delimiter}${process.env.PATH}`
  const args = ['start', '--port', '0', '--gateway-port', '0']
  const starters = [
    [link, args],
    ['sh', ['-c', `exec "$0" ${args.join(' ')}`, link]],
    // A shell in the background of another lets its children ignore SIGINT.
    ['sh', ['-c', `"$0" ${args.join(' ')} & echo "pid $!"; wait "$!"`, link]],
  ]
  for (const [i, [program, words]] of starters.entries()) {
    const env = { PATH, XDG_STATE_HOME: join(home, 'state') }
    const child = spawn(program, words, { cwd: '/', env, stdio: ['ignore', 'pipe', 'pipe'] })
    try {
      const pid = i === 2 ? Number((await saying(child, /^pid (\d+)$/))[1]) : child.pid
      await saying(child, said['netbox-pbs'])
      const ended = once(child, 'close')
      process.kill(pid, i === 1 ? 'SIGTERM' : 'SIGINT')
      const [code] = await ended
      if (code !== 0) throw new Error(`${[program, ...words].join(' ')} ended with ${code}.`)
    } finally {
      if (child.exitCode === null) child.kill('SIGKILL')
    }
  }
}

const linesOf = new WeakMap()

/** The first further line of standard output that matches; fails with its standard error when the process ends before. */
async function saying(child, pattern) {
  const { lines, errors } = linesOf.get(child) ?? follow(child)
  for (;;) {
    const { done, value } = await lines.next()
    const found = done ? null : pattern.exec(value)
    if (found !== null) return found
    if (done) throw new Error(`${child.spawnargs.join(' ')} ended before it was ready.\n${errors.join('')}`)
  }
}

function follow(child) {
  const errors = []
  child.stderr.on('data', (text) => errors.push(text))
  const followed = { lines: createInterface({ input: child.stdout })[Symbol.asyncIterator](), errors }
  linesOf.set(child, followed)
  return followed
}
