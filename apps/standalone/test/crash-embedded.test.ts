import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { Database } from '@netbox-pbs/store-postgres'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Asks } from './crash/asks.ts'
import { faultsOfLog, rememberRows } from './crash/change-log.ts'
import { CrashSource } from './crash/crash-source.ts'
import { judge, type Look } from './crash/judge.ts'
import { leftOver } from './crash/left-over.ts'
import { scopeDigests } from './crash/scope-digests.ts'
import { differencesFromSource } from './crash/stored-inventory.ts'
import { prepareFolder } from './support/homes.ts'
import { SystemProcess } from './support/process.ts'
import { connect, type Rest, type RunAnswer, request, syncAndWait } from './support/rest.ts'
import { storedFaults } from './support/stored-values.ts'

/**
 * Scopes landed by the run when it is killed, for the first time and again: five times with
 * NETBOX_PBS_MATRIX=all (`pnpm matrix`), else twice.
 */
const moments = process.env['NETBOX_PBS_MATRIX'] === 'all' ? [0, 1, 3, 5, 7] : [0, 5]

// Real processes on a machine that may be busy with other tests.
vi.setConfig({ testTimeout: moments.length * 120_000 })

let dataDir: string
let source: CrashSource
let system: SystemProcess | undefined

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'netbox-pbs-test-'))
  await prepareFolder(dataDir)
  source = await CrashSource.start(1, 1500, 7)
})
afterAll(async () => {
  system?.kill()
  await source.close()
  rmSync(dataDir, { recursive: true, force: true })
})

async function start(): Promise<Rest> {
  system = SystemProcess.start('netbox-pbs', ['start', '--data-dir', dataDir, '--port', '0', '--gateway-port', '0'])
  const [, url = ''] = await system.line(/^netbox-pbs ready: (\S+)\/plugins\/pbs\/ /)
  return { url, token: readFileSync(join(dataDir, 'token'), 'utf8').trim() }
}

const folderDatabase = () => Database.layerPglite({ dataDir })

/** Looks into the folder of a system that has ended, one way or the other. */
async function inFolder<A>(look: (asks: Asks) => Promise<A>): Promise<A> {
  const db = await PGlite.create(join(dataDir, 'database'))
  try {
    return await look({
      sql: async <Row extends object>(text: string, values: ReadonlyArray<unknown> = []) =>
        (await db.query<Row>(text, [...values])).rows,
    })
  } finally {
    await db.close()
  }
}

const readRun = async (rest: Rest, id: number): Promise<RunAnswer> =>
  (await request(rest, 'GET', `/api/plugins/pbs/sync-runs/${id}/`)).json as RunAnswer // border: a test reads what it asserts

const waitForRun = (rest: Rest, id: number, accept: (run: RunAnswer) => boolean) =>
  vi.waitFor(async () => expect(await readRun(rest, id)).toSatisfy(accept), { timeout: 120_000, interval: 100 })

test('start killed in the middle of a sync, again and again: nothing is torn or lost, and the next start goes on at once', async () => {
  const first = await start()
  for (const server of source.servers) await connect(first, server)
  expect((await syncAndWait(first)).status.value).toBe('completed')
  await system?.stop()
  const before = await inFolder(async (asks) => {
    await rememberRows(asks)
    return scopeDigests(asks)
  })

  source.change()
  // Slow enough for a kill to find it at work.
  for (const { faults } of source.servers) faults.add({ kind: 'slow', delayMs: 500, match: { path: /\/snapshots$/ } })
  let rest = await start()
  const { id } = (await request(rest, 'POST', '/api/plugins/pbs/sync-runs/', {})).json as RunAnswer // border
  const looks: Array<Look> = []
  for (const landed of moments) {
    await waitForRun(rest, id, (run) => run.status.value === 'running' && (run.outcomes['landed'] ?? 0) >= landed)
    await system?.stop('SIGKILL')
    looks.push({ after: `a kill at ${landed} scopes`, digests: await inFolder(scopeDigests) })
    rest = await start()
  }
  await waitForRun(rest, id, (run) => run.status.value === 'completed')
  await system?.stop()

  const judged = await inFolder(async (asks) => [
    ...judge(before, looks, await scopeDigests(asks)).faults,
    ...(await differencesFromSource(asks, source.states, { first: true })),
    ...(await faultsOfLog(asks, id)),
    ...(await leftOver(asks, { first: true })),
  ])
  expect(judged).toEqual([])
  expect(await storedFaults(folderDatabase())).toEqual([])

  // Rows that the source has lost are deleted by the second list that lacks them.
  expect((await syncAndWait(await start())).status.value).toBe('completed')
  await system?.stop()
  const settled = await inFolder(async (asks) => [
    ...(await differencesFromSource(asks, source.states, { first: false })),
    ...(await leftOver(asks, { first: false })),
  ])
  expect(settled).toEqual([])
  expect(await storedFaults(folderDatabase())).toEqual([])
})
