import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { postgresUrl } from '@netbox-pbs/testing'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { startOldPostgres } from './support/old-postgres.ts'
import { netboxPbs, SystemProcess } from './support/process.ts'

// Real processes on a machine that may be busy with other tests.
vi.setConfig({ testTimeout: 120_000 })

const key = (fill: number): string => Buffer.alloc(32, fill).toString('base64')
const free = ['--port', '0', '--gateway-port', '0']

let folder: string
let taken: Server
let takenPort: number
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'netbox-pbs-test-'))
  taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const address = taken.address()
  takenPort = typeof address === 'object' && address !== null ? address.port : 0
})
afterAll(() => {
  taken.close()
  rmSync(folder, { recursive: true, force: true })
})
const running: Array<SystemProcess> = []
afterEach(() => {
  for (const process of running.splice(0)) process.kill()
})

/** The start is refused with this code and sentence, says nothing else, and leaves the data folder unmade. */
async function expectRejected(
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>>,
  code: number,
  sentence: string,
): Promise<void> {
  const dataDir = join(folder, 'unmade')
  const outcome = await netboxPbs(['start', '--data-dir', dataDir, ...args], { env })
  expect(outcome).toEqual({ code, stdout: '', stderr: `${sentence}\n` })
  expect(existsSync(dataDir)).toBe(false)
}

test('a wrong flag', async () => {
  await expectRejected(
    ['--gateway-port', 'x'],
    {},
    2,
    "option '--gateway-port <port>' argument 'x' is invalid. It must be a whole number from 0 to 65535; see \"netbox-pbs start --help\"",
  )
})

test.concurrent.each([
  [
    { NETBOX_PBS_GATEWAY_KEY: 'too-short' },
    'NETBOX_PBS_GATEWAY_KEY must have at least 32 characters; "openssl rand -base64 32" makes one',
  ],
  [
    { NETBOX_PBS_SECRET_KEY: 'no-key' },
    'NETBOX_PBS_SECRET_KEY is not a key: set it to 32 bytes in base64, as made by `openssl rand -base64 32`',
  ],
  [
    { NETBOX_PBS_GATEWAY_SECRET_KEY: key(1).slice(4) },
    'NETBOX_PBS_GATEWAY_SECRET_KEY is not a key: set it to 32 bytes in base64, as made by `openssl rand -base64 32`',
  ],
  [
    { NETBOX_PBS_BOOTSTRAP_TOKEN: 'letmein' },
    'NETBOX_PBS_BOOTSTRAP_TOKEN: a token is nbt_ and 12 characters, a dot, and 40 characters, or 40 characters alone; all of them letters and digits',
  ],
  [
    { DATABASE_URL: 'mysql://127.0.0.1/x' },
    'DATABASE_URL is not a PostgreSQL URL; it begins with postgres:// or postgresql://.',
  ],
  [
    { NETBOX_PBS_SECRET_KEY_FILE: '/nowhere/secret.key' },
    'NETBOX_PBS_SECRET_KEY_FILE: /nowhere/secret.key cannot be read; make it a file that this user may read.',
  ],
])('a malformed variable: %j', async (env, sentence) => {
  await expectRejected(free, env, 2, sentence)
})

test('a port in use, of either server', async () => {
  const sentence = (who: string, flag: string) =>
    `${who} cannot listen on 127.0.0.1:${takenPort}: the port is in use; stop what listens there or choose another with ${flag}`
  await expectRejected(['--port', `${takenPort}`, '--gateway-port', '0'], {}, 1, sentence('the API', '--port'))
  await expectRejected(
    ['--port', '0', '--gateway-port', `${takenPort}`],
    {},
    1,
    sentence('the gateway', '--gateway-port'),
  )
})

test('a database that cannot be reached, or is too old; its password is not told', async () => {
  await expectRejected(
    free,
    { DATABASE_URL: 'postgres://netbox:hidden@127.0.0.1:1/inventory' },
    1,
    'PostgreSQL at 127.0.0.1:1/inventory cannot be reached: check that it runs and that the address is right',
  )
  const { server, url } = await startOldPostgres()
  await expectRejected(
    free,
    { DATABASE_URL: url },
    1,
    `PostgreSQL at ${url.slice(url.indexOf('@') + 1)} is older than 14: upgrade it`,
  )
  server.close()
})

test('a key file that cannot be read, or holds no key', async () => {
  const dataDir = join(folder, 'keys')
  const path = join(dataDir, 'secret.key')
  const start = () => netboxPbs(['start', '--data-dir', dataDir, ...free])
  mkdirSync(path, { recursive: true })
  expect(await start()).toEqual({
    code: 1,
    stdout: '',
    stderr: `cannot read the key file ${path}: make it readable for this user\n`,
  })
  rmSync(path, { recursive: true })
  writeFileSync(path, 'rubbish\n')
  expect(await start()).toEqual({
    code: 1,
    stdout: '',
    stderr: `the key file ${path} does not contain 32 bytes in base64: restore it, because data stored under its key cannot be read without it\n`,
  })
  expect(readdirSync(dataDir)).toEqual(['secret.key'])
})

test('a key that is not the one of what is stored, and a folder that is in use', async () => {
  const env = { DATABASE_URL: await postgresUrl() }
  const [first, second] = [join(folder, 'first'), join(folder, 'second')]
  const start = (dataDir: string, more: Readonly<Record<string, string>> = {}) => {
    const started = SystemProcess.start('netbox-pbs', ['start', '--data-dir', dataDir, ...free], {
      env: { ...env, ...more },
    })
    running.push(started)
    return started
  }
  const holder = start(first)
  await holder.line(/ready/)
  expect(await start(first).outcome()).toEqual({
    code: 1,
    stdout: '',
    stderr: `the data folder ${first} is in use by process ${holder.pid}: stop that one, or choose another with --data-dir\n`,
  })
  expect(await holder.stop()).toMatchObject({ code: 0 })

  const unreadable = (name: string) =>
    `stored secrets cannot be read with this key: set ${name} to the key they were stored under\n`
  const lost = join(second, 'secret.key')
  expect(await start(second).outcome()).toEqual({
    code: 1,
    stdout: '',
    stderr: `stored secrets cannot be read, because ${lost} is not there: restore this file, or set NETBOX_PBS_SECRET_KEY to the key it held\n`,
  })
  expect(existsSync(lost)).toBe(false)
  expect(await start(first, { NETBOX_PBS_GATEWAY_SECRET_KEY: key(9) }).outcome()).toEqual({
    code: 1,
    stdout: '',
    stderr: unreadable('NETBOX_PBS_GATEWAY_SECRET_KEY'),
  })
  writeFileSync(join(first, 'secret.key'), key(9))
  expect(await start(first).outcome()).toEqual({
    code: 1,
    stdout: '',
    stderr: `stored secrets cannot be read with the key in ${join(first, 'secret.key')}: restore the key they were stored under, or set NETBOX_PBS_SECRET_KEY to it\n`,
  })
})
