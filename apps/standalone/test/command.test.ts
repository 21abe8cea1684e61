import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Simulator, startSimulator } from '@netbox-pbs/pbs-simulator'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import manifest from '../package.json' with { type: 'json' }
import { netboxPbs, type Outcome, onlyLog, SystemProcess } from './support/process.ts'
import { request } from './support/rest.ts'

// Real processes on a machine that may be busy with other tests.
vi.setConfig({ testTimeout: 120_000 })

/**
 * The life of one data folder, step by step: the output of the command, and the state that a stop
 * and a new start keep.
 */
let folder: string
let dataDir: string
let pbs: Simulator
let system: SystemProcess
let url: string
let token: string

const at = () => ['--data-dir', dataDir]
const start = async () => {
  system = SystemProcess.start('netbox-pbs', ['start', ...at(), '--port', '0', '--gateway-port', '0'])
  const [line, address = ''] = await system.line(/^netbox-pbs ready: (\S+)\/plugins\/pbs\/ (.*)$/)
  url = address
  return line
}
const good = (stdout: string | RegExp): Outcome => ({
  code: 0,
  stdout: typeof stdout === 'string' ? stdout : expect.stringMatching(stdout),
  stderr: '',
})

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'netbox-pbs-test-'))
  dataDir = join(folder, 'data')
  pbs = await startSimulator({ name: 'pbs-a', seed: 31, snapshots: 120, failureDelayMs: 0, now: 1_790_000_000 })
})
afterAll(async () => {
  system.kill()
  await pbs.close()
  rmSync(folder, { recursive: true, force: true })
})

test.each(['--version', '-V'])('%s says the release', async (flag) => {
  expect(await netboxPbs([flag])).toEqual(good(`${manifest.version}\n`))
})

test('a command is explained by help in front of it and by a flag behind it', async () => {
  const text = await netboxPbs(['server', 'pin', '-h'])
  expect(text).toEqual(good(/^Usage: netbox-pbs server pin /))
  for (const args of [
    ['server', 'help', 'pin'],
    ['server', 'pin', '--help'],
  ])
    expect(await netboxPbs(args)).toEqual(text)
  expect(await netboxPbs(['help'])).toEqual(await netboxPbs(['--help']))
})

test('start says where it is served and where the token lies, which it does not print', async () => {
  const line = await start()
  const file = join(dataDir, 'token')
  token = readFileSync(file, 'utf8').trim()
  expect(line).toBe(`netbox-pbs ready: ${url}/plugins/pbs/ token in ${file}`)
  expect(readdirSync(dataDir).sort()).toEqual([
    'database',
    'gateway-api.key',
    'gateway-secret.key',
    'netbox-pbs.lock',
    'run.json',
    'secret.key',
    'token',
  ])
  for (const name of ['gateway-api.key', 'gateway-secret.key', 'run.json', 'secret.key', 'token'])
    expect([name, (statSync(join(dataDir, name)).mode & 0o777).toString(8)]).toEqual([name, '600'])
  expect((await request({ url, token }, 'GET', '/api/status/')).status).toBe(200)
})

test('a server is added with the secret from standard input, tested and read', async () => {
  expect(await netboxPbs(['server', 'list', ...at()])).toEqual(
    good('no servers yet: "netbox-pbs server add" connects one\n'),
  )
  const { host, port, fingerprint, tokens } = pbs
  const add = ['server', 'add', 'pbs-a', ...at(), '--host', host, '--port', `${port}`, '--token-id']
  const known = [tokens.audit.tokenId, '--fingerprint', fingerprint]
  expect(await netboxPbs([...add, ...known])).toEqual({
    code: 2,
    stdout: '',
    stderr: '--token-secret-file is missing: name the file that holds the secret, or - for standard input\n',
  })
  const withSecret = [...add, ...known, '--token-secret-file', '-']
  const rejected = (stderr: string | RegExp, code = 1) => ({
    code,
    stdout: '',
    stderr: typeof stderr === 'string' ? stderr : expect.stringMatching(stderr),
  })
  const nothing = 'nothing was stored; --untested adds it anyway\n$'
  const input = `${tokens.audit.secret}\n`
  expect(await netboxPbs(withSecret, { input: 'not-the-secret\n' })).toEqual(
    rejected(new RegExp(`^pbs-a: .*rejects the API token[^]*${nothing}`)),
  )
  const unpinned = [...add, tokens.audit.tokenId, '--token-secret-file', '-']
  expect(await netboxPbs(unpinned, { input })).toEqual(
    rejected(
      new RegExp(
        `^pbs-a presents a certificate [^]*${fingerprint}[^]*nothing was stored.*--fingerprint ${fingerprint}\n$`,
      ),
    ),
  )
  const empty = [...add, tokens.empty.tokenId, '--fingerprint', fingerprint, '--token-secret-file', '-']
  expect(await netboxPbs(empty, { input: tokens.empty.secret })).toEqual(
    rejected(
      new RegExp(
        `lists no datastore [^]*\n {2}proxmox-backup-manager acl update / Audit --auth-id '${tokens.empty.tokenId}'\n[^]*${nothing}`,
      ),
    ),
  )
  expect(await netboxPbs(['server', 'list', ...at()])).toMatchObject({
    stdout: expect.stringContaining('no servers yet'),
  })
  expect(await netboxPbs([...withSecret, '--untested'], { input: 'not-the-secret\n' })).toEqual(
    good(/^added pbs-a \(\d+\), not tested: "netbox-pbs server test pbs-a" tries it\n$/),
  )
  expect(await netboxPbs(['server', 'list', ...at()])).toEqual(
    good(
      /^NAME {3}ADDRESS +STATUS +VERSION +CREDENTIALS +LAST SEEN\npbs-a +127\.0\.0\.1:\d+ +Unknown +stored +never\n$/,
    ),
  )
  expect(await netboxPbs(['server', 'test', 'pbs-a', ...at()])).toEqual(rejected(/^pbs-a: .*token/))
  expect(await netboxPbs(['server', 'remove', 'pbs-a', ...at()])).toEqual(
    rejected(
      'Remove pbs-a with 0 datastores, 0 groups, 0 snapshots, 0 jobs, their tags and decisions? There is no terminal to ask on: add --yes to confirm\n',
      2,
    ),
  )
  expect(await netboxPbs(['server', 'remove', 'pbs-a', ...at(), '--yes'])).toEqual(
    good('removed pbs-a with 0 datastores, 0 groups, 0 snapshots, 0 jobs\n'),
  )
  expect(await netboxPbs(withSecret, { input })).toEqual(
    good(/^added pbs-a \(\d+\): reachable, PBS 4\.\S+; "netbox-pbs sync" reads it now\n$/),
  )
  expect(await netboxPbs(['server', 'test', 'pbs-a', ...at()])).toEqual(
    good(`pbs-a: reachable, PBS ${pbs.state.version}.${pbs.state.release}, fingerprint ${fingerprint}\n`),
  )
  expect(await netboxPbs(['sync', ...at()])).toEqual(
    good(/^run 1 completed in \d+\.\d s: \d+ created, \d+ updated, 0 deleted, 0 unchanged, 0 held back\n/),
  )
  expect(await netboxPbs(['server', 'list', ...at()])).toEqual(
    good(
      /^NAME {3}ADDRESS +STATUS +VERSION +CREDENTIALS +LAST SEEN\npbs-a +127\.0\.0\.1:\d+ +Reachable +4\.\S+ +stored +\S+Z\n$/,
    ),
  )
})

test('a sync that does not complete says why and ends with 1', async () => {
  pbs.faults.add({ kind: 'status', status: 401, body: 'authentication failed' })
  const outcome = await netboxPbs(['sync', ...at(), '--server', 'pbs-a'])
  pbs.faults.clear()
  expect(outcome).toMatchObject({ code: 1, stderr: `run 2 is incomplete: ${url}/plugins/pbs/sync-runs/2/\n` })
  expect(outcome.stdout).toMatch(/^run 2 incomplete in .*\nSCOPE +OUTCOME +WHY\n/)
  expect(await netboxPbs(['sync', ...at(), '--server', 'pbs-b'])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^servers: .*pbs-b/),
  })
})

test('a signal in the middle of a sync ends the system without waiting for it, and leaves nothing behind', async () => {
  pbs.faults.add({ kind: 'slow', delayMs: 600_000, match: { path: /\/snapshots$/ } })
  pbs.evolve()
  const made = await request({ url, token }, 'POST', '/api/plugins/pbs/sync-runs/', {})
  expect(made).toMatchObject({ status: 201, json: { id: 3 } })
  pbs.discardRequests()
  await vi.waitFor(() => expect(pbs.requests.some(({ path }) => path.endsWith('/snapshots'))).toBe(true), 60_000)
  const { code, stderr, millis } = await system.stop('SIGINT')
  expect([code, stderr]).toEqual([0, onlyLog])
  // A line a run, and not one more.
  expect(stderr.match(/msg="run ended" .*/g)?.map((line) => /run=(\d+)/.exec(line)?.[1])).toEqual(['1', '2'])
  expect(stderr).toMatch(/level=info msg="run ended".* status=completed/)
  expect(stderr).toMatch(/level=warn msg="run ended".* status=incomplete/)
  // The whole read would take ten minutes.
  expect(millis).toBeLessThan(60_000)
  expect(readdirSync(dataDir).sort()).toEqual([
    'database',
    'gateway-api.key',
    'gateway-secret.key',
    'secret.key',
    'token',
  ])
})

test('while it does not run, tokens are kept in its database and the rest says so', async () => {
  const made = await netboxPbs(['token', 'create', ...at(), '--read-only', '--description', 'a reader'])
  expect(made).toMatchObject({ code: 0, stderr: 'this token is shown only once:\n' })
  expect(made.stdout).toMatch(/^nbt_\w{12}\.\w{40}\n$/)
  expect(await netboxPbs(['server', 'list', ...at()])).toEqual({
    code: 1,
    stdout: '',
    stderr: `no system runs on ${dataDir}: start it with "netbox-pbs start", name its folder with --data-dir, or reach another with --url\n`,
  })
})

test('the next start knows the token and goes on with the run', async () => {
  pbs.faults.clear()
  await start()
  await vi.waitFor(
    async () =>
      expect(await request({ url, token }, 'GET', '/api/plugins/pbs/sync-runs/3/')).toMatchObject({
        status: 200,
        json: { status: { value: 'completed' }, error: '' },
      }),
    { timeout: 60_000, interval: 100 },
  )
  const remote = ['--url', url, '--token-file', '-']
  const list = await netboxPbs(['token', 'list', ...remote], { input: token })
  expect(list).toEqual(
    good(/^ID +KEY +USER +WRITES +EXPIRES +LAST USED +DESCRIPTION\n1 .* made at the start\n2 .* no .* a reader\n$/),
  )
  expect(list.stdout).not.toContain(token.slice(-40))
  expect(await netboxPbs(['token', 'revoke', '2', ...at()])).toEqual({
    code: 2,
    stdout: '',
    stderr:
      'Revoke token 2 of admin, "a reader"? Its clients are rejected from then on. There is no terminal to ask on: add --yes to confirm\n',
  })
  expect(await netboxPbs(['token', 'revoke', '2', ...at(), '--yes'])).toEqual(good('token 2 is revoked\n'))
  expect(await netboxPbs(['token', 'revoke', '2', ...at()])).toEqual({
    code: 1,
    stdout: '',
    stderr: 'there is no token 2: "netbox-pbs token list" shows them\n',
  })
  expect(await netboxPbs(['token', 'revoke', '2', ...at(), '--yes'])).toMatchObject({ code: 1, stdout: '' })
  expect(await netboxPbs(['token', 'list', ...remote], { input: 'nbt_000000000000.none' })).toEqual({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^http:\S+ refuses: .* Is it the right token\?\n$/),
  })
  expect(await system.stop()).toMatchObject({ code: 0, stderr: onlyLog })
  expect(await netboxPbs(['migrate', ...at()])).toEqual(good('the database is up to date\n'))
})
