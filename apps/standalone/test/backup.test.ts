import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { PGlite } from '@electric-sql/pglite'
import { postgresUrl } from '@netbox-pbs/testing'
import { pack } from 'tar-stream'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { writeArchive } from '../src/backup/write-archive.ts'
import type { Asks } from './crash/asks.ts'
import { CrashSource } from './crash/crash-source.ts'
import { judge } from './crash/judge.ts'
import { scopeDigests } from './crash/scope-digests.ts'
import { differencesFromSource } from './crash/stored-inventory.ts'
import { prepareFolder } from './support/homes.ts'
import { netboxPbs, type Outcome, SystemProcess } from './support/process.ts'
import { connect, type Rest, type RunAnswer, request, syncAndWait } from './support/rest.ts'

// Real processes on a machine that may be busy with other tests.
vi.setConfig({ testTimeout: 300_000 })

let folder: string
let source: CrashSource
const running: Array<SystemProcess> = []
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'netbox-pbs-backup-'))
  await prepareFolder(place('data'))
  source = await CrashSource.start(1, 1500, 7)
})
afterAll(async () => {
  for (const process of running) process.kill()
  await source.close()
  rmSync(folder, { recursive: true, force: true })
})

const place = (name: string): string => join(folder, name)
const at = (name: string): ReadonlyArray<string> => ['--data-dir', place(name)]

async function start(name: string): Promise<{ readonly process: SystemProcess; readonly rest: Rest }> {
  const process = SystemProcess.start('netbox-pbs', ['start', ...at(name), '--port', '0', '--gateway-port', '0'])
  running.push(process)
  const [, url = ''] = await process.line(/^netbox-pbs ready: (\S+)\/plugins\/pbs\/ /)
  return { process, rest: { url, token: readFileSync(place(`${name}/token`), 'utf8').trim() } }
}

/** Looks into a data folder that no process has open. */
async function inFolder<A>(name: string, look: (asks: Asks) => Promise<A>): Promise<A> {
  const db = await PGlite.create(place(`${name}/database`))
  try {
    return await look({
      sql: async <Row extends object>(text: string, values: ReadonlyArray<unknown> = []) =>
        (await db.query<Row>(text, [...values])).rows,
    })
  } finally {
    await db.close()
  }
}

/** One line, and no trace of a bug. */
const refused = (words: RegExp, code = 1): Outcome => ({
  code,
  stdout: '',
  stderr: expect.stringMatching(new RegExp(`^.*(?:${words.source}).*\n$`)),
})

const readRun = async (rest: Rest, id: number): Promise<RunAnswer> =>
  (await request(rest, 'GET', `/api/plugins/pbs/sync-runs/${id}/`)).json as RunAnswer // border: a test reads what it asserts

const waitForRun = (rest: Rest, id: number, accept: (run: RunAnswer) => boolean) =>
  vi.waitFor(async () => expect(await readRun(rest, id)).toSatisfy(accept), { timeout: 120_000, interval: 100 })

const files = (name: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readdirSync(place(name), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path, createHash('sha256').update(readFileSync(path)).digest('hex')]),
  )

test('a backup made in the middle of a sync is a state that was committed, with the keys that open it', async () => {
  const first = await start('data')
  for (const server of source.servers) await connect(first.rest, server, { timeout_seconds: 600 })
  expect((await syncAndWait(first.rest)).status.value).toBe('completed')
  await first.process.stop()
  const before = await inFolder('data', scopeDigests)

  source.change()
  // Three lists of snapshots come; the run waits for the others, and is at work when it is saved.
  for (const { faults } of source.servers)
    for (const [delayMs, times] of [
      [0, 3],
      [600_000, 1000],
    ] as const)
      faults.add({ kind: 'slow', delayMs, times, match: { path: /\/snapshots$/ } })
  const second = await start('data')
  const { id } = (await request(second.rest, 'POST', '/api/plugins/pbs/sync-runs/', {})).json as RunAnswer // border: as above
  await waitForRun(second.rest, id, (run) => run.status.value === 'running' && (run.outcomes['landed'] ?? 0) >= 3)
  const saved = await netboxPbs(['backup', place('saved'), ...at('data')])
  expect(saved).toEqual({
    code: 0,
    stdout: expect.stringMatching(new RegExp(`^saved ${place('data')} to ${place('saved')}, \\d+\\.\\d MB\n$`)),
    stderr: 'the backup contains the secret keys and a token: whoever reads it can read all stored secrets\n',
  })
  expect((await readRun(second.rest, id)).status.value).toBe('running')
  expect((statSync(place('saved')).mode & 0o777).toString(8)).toBe('600')
  await vi.waitFor(() => expect(readdirSync(place('data')).filter((name) => name.startsWith('backup-'))).toEqual([]))
  await second.process.stop('SIGKILL')
  for (const { faults } of source.servers) faults.clear()

  expect(await netboxPbs(['restore', place('saved'), ...at('other/restored')])).toMatchObject({ code: 0, stderr: '' })
  expect(readdirSync(place('other/restored')).sort()).toEqual([
    'database',
    'gateway-api.key',
    'gateway-secret.key',
    'secret.key',
    'token',
  ])
  const look = { after: 'the backup', digests: await inFolder('other/restored', scopeDigests) }

  // The token of the backup signs in, its keys open the secret of the server, and its run goes on.
  const restored = await start('other/restored')
  await waitForRun(restored.rest, id, (run) => run.status.value === 'completed')
  expect(await netboxPbs(['server', 'test', source.servers[0]?.name ?? '', ...at('other/restored')])).toMatchObject({
    code: 0,
  })
  await restored.process.stop()
  const judged = await inFolder('other/restored', async (asks) => [
    ...judge(before, [look], await scopeDigests(asks)).faults,
    ...(await differencesFromSource(asks, source.states, { first: true })),
  ])
  expect(judged).toEqual([])
})

describe('an archive that is refused', () => {
  /** What is wrong, how to make it of a good archive, and what the command says. */
  const cases: ReadonlyArray<readonly [string, (good: Buffer) => Buffer | Promise<Buffer>, RegExp]> = [
    ['cut in the middle', (good) => good.subarray(0, good.length / 2), /ends too early: it was cut off/],
    ['cut at its last byte', (good) => good.subarray(0, -1), /ends too early: it was cut off/],
    ['empty', () => Buffer.alloc(0), /is no backup of netbox-pbs|ends too early/],
    ['a text', () => Buffer.from('no archive at all\n'), /is damaged, or is no backup of netbox-pbs/],
    ['another archive', () => tarOf([['etc/passwd', 'root:x:0:0']]), /is no backup of netbox-pbs/],
    ['a flipped bit', (good) => flipped(good), /is damaged/],
    [
      'a flipped bit under a right checksum',
      (good) => changed(good, 'PG_VERSION', (tar, from) => tar.fill('9', from, from + 1)),
      /is damaged: database\/PG_VERSION is not as it was saved/,
    ],
    [
      'a file less',
      (good) => without(good, 'database/global/pg_control'),
      /is incomplete: database\/global\/pg_control is missing|is damaged/,
    ],
    [
      'a path that leaves the folder',
      (good) =>
        changed(good, 'database/PG_VERSION', (tar, from) => tar.write('database/../../xx_X', from - 512, 'latin1')),
      /is damaged/,
    ],
  ]

  let before: Readonly<Record<string, string>>
  beforeAll(() => {
    before = files('other/restored')
  })

  test.each(cases)('%s: nothing is written', async (_, make, words) => {
    writeFileSync(place('bad'), await make(readFileSync(place('saved'))))
    // In a folder that would be replaced.
    const forced = ['restore', place('bad'), ...at('other/restored'), '--force', '--yes']
    expect(await netboxPbs(forced)).toEqual(refused(words))
    expect(files('other/restored')).toEqual(before)
  })

  test('that is none, or another key, or a database of a newer release: nothing is written', async () => {
    expect(await netboxPbs(['restore', place('none'), ...at('never')])).toEqual(refused(/none cannot be read/))
    writeFileSync(place('bad'), flipped(readFileSync(place('saved'))))
    expect(await netboxPbs(['restore', place('bad'), ...at('never')])).toEqual(refused(/is damaged/))

    const save = async (name: string) => {
      const about = { made_at: '2026-05-01T02:00:00Z', release: '0.0.0', keys_elsewhere: [] }
      const { signal: released } = new AbortController()
      await writeArchive(place(name), { dataDir: place('copy'), database: place('copy/database'), about, released })
      return ['restore', place(name), ...at('never')]
    }
    expect(await netboxPbs(['restore', place('saved'), ...at('copy')])).toMatchObject({ code: 0 })
    const key = readFileSync(place('copy/gateway-secret.key'))
    writeFileSync(place('copy/gateway-secret.key'), `${Buffer.alloc(32, 9).toString('base64')}\n`)
    expect(await netboxPbs(await save('other-key'))).toEqual(
      refused(/does not open with its keys: what NETBOX_PBS_GATEWAY_SECRET_KEY encrypts/),
    )
    writeFileSync(place('copy/gateway-secret.key'), key)
    await inFolder('copy', ({ sql }) =>
      sql(`insert into netbox_pbs_migration (name, timestamp) values ('9999_later', '2030')`),
    )
    expect(await netboxPbs(await save('newer'))).toEqual(
      refused(/migration 9999_later, which this release does not know/),
    )
    expect(existsSync(place('never'))).toBe(false)
  })
})

test('a folder that is not empty is replaced by --force only, after a question, and one in use never', async () => {
  const restore = ['restore', place('saved'), ...at('full')]
  mkdirSync(place('full'))
  mkdirSync(place('full/lost+found'))
  writeFileSync(place('full/notes'), 'mine')
  writeFileSync(place('full/demo.json'), '{}')
  expect(await netboxPbs(restore)).toEqual(refused(/full is not empty: name an empty folder .* --force/))
  expect(await netboxPbs([...restore, '--force'])).toEqual(
    refused(/^Replace database, keys and token in .* add --yes/, 2),
  )
  expect(readdirSync(place('full')).sort()).toEqual(['demo.json', 'lost+found', 'notes'])
  expect(await netboxPbs([...restore, '--force', '--yes'])).toMatchObject({ code: 0 })
  // What is not of netbox-pbs stays.
  expect(readdirSync(place('full')).sort()).toEqual([
    'database',
    'gateway-api.key',
    'gateway-secret.key',
    'lost+found',
    'notes',
    'secret.key',
    'token',
  ])

  const { process } = await start('full')
  const before = readFileSync(place('full/netbox-pbs.lock'), 'utf8')
  expect(await netboxPbs([...restore, '--force', '--yes'])).toEqual(refused(/is in use by process \d+/))
  expect(readFileSync(place('full/netbox-pbs.lock'), 'utf8')).toBe(before)
  await process.stop()
})

test('a backup of a system that does not run is the same; an existing file is not replaced', async () => {
  const file = place('at-rest')
  expect(await netboxPbs(['backup', file, ...at('full')])).toMatchObject({ code: 0 })
  expect(await netboxPbs(['backup', file, ...at('full')])).toEqual(refused(/at-rest is there already/))
  expect(await netboxPbs(['backup', place('no/such/folder'), ...at('full')])).toEqual(
    refused(/^cannot write \S+no\/such\/folder: check the rights and the free space of its folder/),
  )
  expect(await netboxPbs(['backup', place('nothing'), ...at('never')])).toEqual(refused(/there is no database in /))
  expect(existsSync(place('never'))).toBe(false)
  expect(await netboxPbs(['restore', file, ...at('again')])).toMatchObject({ code: 0 })
  expect(await inFolder('again', scopeDigests)).toEqual(await inFolder('full', scopeDigests))
})

test('a key that the environment gives is not saved, and both commands say so', async () => {
  const env = { NETBOX_PBS_SECRET_KEY: readFileSync(place('again/secret.key'), 'utf8').trim() }
  const saved = await netboxPbs(['backup', place('keyless'), ...at('again')], { env })
  expect(saved).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('NETBOX_PBS_SECRET_KEY comes from the environment and is NOT in the backup'),
  })
  const without = await netboxPbs(['restore', place('keyless'), ...at('without')])
  expect(without).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('start the system with the NETBOX_PBS_SECRET_KEY that it had'),
  })
  expect(existsSync(place('without/secret.key'))).toBe(false)
  const other = { NETBOX_PBS_SECRET_KEY: Buffer.alloc(32, 1).toString('base64') }
  expect(await netboxPbs(['restore', place('keyless'), ...at('never')], { env: other })).toEqual(
    refused(/does not open with its keys/),
  )
})

test('a system on PostgreSQL is told to use pg_dump, with the keys to save', async () => {
  const env = { DATABASE_URL: await postgresUrl() }
  const words =
    /^the database is on PostgreSQL, .*pg_dump --format=custom --file=FILE "\$DATABASE_URL", .*gateway-secret\.key of \S+/
  expect(await netboxPbs(['backup', place('pg'), ...at('pg-data')], { env })).toEqual(refused(words))
  expect(await netboxPbs(['restore', place('saved'), ...at('pg-data')], { env })).toEqual(refused(words))
  const args = ['start', ...at('pg-data'), '--port', '0', '--gateway-port', '0']
  const process = SystemProcess.start('netbox-pbs', args, { env })
  running.push(process)
  await process.line(/^netbox-pbs ready: /)
  // The command asks the system, whose database it does not know.
  expect(await netboxPbs(['backup', place('pg'), ...at('pg-data')])).toEqual(refused(words))
  await process.stop()
  expect(existsSync(place('pg'))).toBe(false)
})

/** An archive of other files. */
async function tarOf(entries: ReadonlyArray<readonly [string, string]>): Promise<Buffer> {
  const archive = pack()
  for (const [name, text] of entries) archive.entry({ name }, text)
  archive.finalize()
  const chunks: Array<Uint8Array> = []
  for await (const chunk of archive) chunks.push(chunk as Uint8Array) // border: of a stream without a type
  return gzipSync(Buffer.concat(chunks))
}

const flipped = (good: Buffer): Buffer => {
  const bad = Buffer.from(good)
  const middle = Math.floor(bad.length / 2)
  bad[middle] = (bad[middle] ?? 0) ^ 1
  return bad
}

/** Changes a tar archive at the content of a file; the header is the 512 bytes before it. */
const changed = (good: Buffer, name: string, change: (tar: Buffer, from: number) => unknown): Buffer => {
  const tar = gunzipSync(good)
  const header = headerOf(tar, name)
  change(tar, header + 512)
  let sum = 0
  tar.fill(' ', header + 148, header + 156)
  for (const byte of tar.subarray(header, header + 512)) sum += byte
  tar.write(`${sum.toString(8).padStart(6, '0')}\0 `, header + 148, 'latin1')
  return gzipSync(tar)
}

const without = (good: Buffer, name: string): Buffer => {
  const tar = gunzipSync(good)
  const header = headerOf(tar, name)
  const size = Number.parseInt(tar.toString('latin1', header + 124, header + 135), 8)
  const next = header + 512 + Math.ceil(size / 512) * 512
  return gzipSync(Buffer.concat([tar.subarray(0, header), tar.subarray(next)]))
}

/** Where the header of a file begins: its name is the first field. */
const headerOf = (tar: Buffer, name: string): number => {
  const full = name.startsWith('database/') ? name : `database/${name}`
  for (let at = 0; at < tar.length; at += 512)
    if (tar.toString('latin1', at, at + full.length + 1) === `${full}\0`) return at
  throw new Error(`the archive has no ${name}`)
}
