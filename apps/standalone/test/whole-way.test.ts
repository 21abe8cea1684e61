import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { emptyStore, finishedSnapshot, type Simulator, startSimulator } from '@netbox-pbs/pbs-simulator'
import { postgresUrl } from '@netbox-pbs/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectedInventory } from './support/expected-inventory.ts'
import { expectInventory } from './support/inventory.ts'
import { allRows, connect, type RunAnswer, syncAndWait } from './support/rest.ts'
import { type Home, newHome, type RunningSystem, startSystem } from './support/running-system.ts'
import { rowVersions, writtenRows } from './support/written-rows.ts'

const now = 1_790_000_000

/** Two releases, and on the first a store and a namespace of few snapshots that will vanish. */
async function startServers(): Promise<ReadonlyArray<Simulator>> {
  const snapshots = process.env['NETBOX_PBS_MATRIX'] === 'all' ? 400 : 150
  const options = { failureDelayMs: 0, snapshots, now }
  const newer = await startSimulator({ ...options, name: 'pbs-new', profile: '4.2', seed: 11 })
  const older = await startSimulator({ ...options, name: 'pbs-old', profile: '3.2', seed: 12 })
  newer.state.datastores.push(emptyStore('short-lived'))
  const store = newer.state.datastores[0]?.name ?? ''
  newer.addNamespace(store, 'passing/by')
  for (let day = 1; day <= 4; day++) {
    newer.addSnapshot(
      { store: 'short-lived', ns: '', backupType: 'vm', backupId: '7' },
      finishedSnapshot(now - day * 86_400),
    )
    newer.addSnapshot(
      { store, ns: 'passing/by', backupType: 'ct', backupId: '8' },
      finishedSnapshot(now - day * 86_400),
    )
  }
  return [newer, older]
}

const engines = [
  {
    engine: 'PostgreSQL',
    home: async () => newHome({ databaseUrl: await postgresUrl() }),
    evidence: ({ databaseUrl }: Home) => writtenRows(databaseUrl ?? ''),
  },
  {
    engine: 'PGlite',
    home: async () => newHome({ dataDir: mkdtempSync(join(tmpdir(), 'netbox-pbs-test-')) }),
    evidence: ({ dataDir }: Home) => rowVersions(dataDir ?? ''),
  },
]

describe.each(engines)('from PBS over TLS, gateway, worker and $engine to REST', ({ home, evidence }) => {
  let servers: ReadonlyArray<Simulator>
  let at: Home
  let running: RunningSystem

  const states = () => servers.map(({ state }) => state)
  const restart = async () => {
    await running.stop()
    const seen = await evidence(at)
    running = await startSystem(at)
    return seen
  }

  beforeAll(async () => {
    servers = await startServers()
    at = await home()
    running = await startSystem(at)
    for (const server of servers) await connect(running, server)
  })
  afterAll(async () => {
    await running.stop()
    await Promise.all(servers.map((server) => server.close()))
    if (at.dataDir !== null) rmSync(at.dataDir, { recursive: true, force: true })
  })

  test('the fleet has what is worth comparing', () => {
    const inventories = states().map(expectedInventory)
    const jobs = inventories.flatMap((inventory) => inventory.jobs)
    const snapshots = inventories.flatMap((inventory) => inventory.snapshots)
    expect([...new Set(jobs.map((job) => job['job_type']))].sort()).toEqual(['gc', 'prune', 'sync', 'tape', 'verify'])
    expect(snapshots.some((snapshot) => snapshot['finished'] === false)).toBe(true)
    expect(
      Math.max(...inventories.flatMap(({ namespaces }) => namespaces.map((space) => Number(space['depth'])))),
    ).toBe(7)
    expect(snapshots.length).toBeGreaterThan(250)
  })

  test('after the first sync REST equals the fleet', async () => {
    const run = await syncAndWait(running)
    expect(summary(run)).toMatchObject({ status: 'completed', error: '' })
    await expectInventory(running, states())
  })

  test('each job says how it does, by its schedule and its tasks', async () => {
    interface ServedJob {
      readonly server: { readonly name: string }
      readonly job_id: string
      readonly disable: boolean
      readonly health: { readonly value: string }
      readonly health_since: string | null
      readonly next_run: string | null
      readonly last_good_run: string | null
    }
    const rows = (await allRows(running, 'jobs')) as ReadonlyArray<unknown> as ReadonlyArray<ServedJob>
    const jobs = rows.map((job) => ({
      ...{ name: `${job.server.name}/${job.job_id}`, health: job.health.value, since: job.health_since },
      ...{ disable: job.disable, next: job.next_run, good: job.last_good_run ?? '' },
    }))
    const named = (...healths: ReadonlyArray<string>) =>
      jobs.filter(({ health }) => healths.includes(health)).map(({ name }) => name)
    expect(named('off')).toEqual(jobs.filter(({ disable }) => disable).map(({ name }) => name))
    expect(named('running')).toContainEqual(expect.stringMatching(/.\/p-running$/))
    expect(rows.find(({ job_id }) => job_id === 'vault')).toMatchObject({
      failed_runs: 1,
      first_error: expect.stringContaining('missing chunk marker file'),
      last_good_run: null,
    })
    // PBS says of these that they were due, and no task shows that it has started them.
    const overdue = jobs.filter(
      ({ next, disable, health, good }) =>
        !disable &&
        next !== null &&
        Date.parse(next) < Date.now() - 20 * 60_000 &&
        health !== 'running' &&
        !(good > next),
    )
    expect(overdue.length).toBeGreaterThan(0)
    expect(overdue.map(({ health, since }) => [health, since])).toEqual(overdue.map(({ next }) => ['missed', next]))
  })

  test('REST counts the requests that the servers have seen', async () => {
    const rows = await allRows(running, 'servers')
    const asked = async () =>
      Promise.all(
        servers.map(async (pbs) => {
          const id = rows.find(({ name }) => name === pbs.name)?.id
          const days = await allRows(running, `servers/${id}/costs`)
          return { seen: pbs.counts.requests, counted: days.reduce((sum, { requests }) => sum + Number(requests), 0) }
        }),
      )
    const before = await asked()
    const run = await syncAndWait(running)
    const grown = (await asked()).map(({ seen, counted }, nth) => ({
      seen: seen - (before[nth]?.seen ?? 0),
      counted: counted - (before[nth]?.counted ?? 0),
    }))
    for (const { seen, counted } of grown) expect(counted).toBe(seen)
    const jobs = await allRows(running, `sync-runs/${run.id}/jobs`)
    const costs = jobs.map(({ cost }) => cost as { requests: number; bytes: number })
    expect(costs.length).toBe(3)
    for (const { requests, bytes } of costs) expect(requests > 0 && bytes > 0).toBe(true)
    const total = grown.reduce((sum, { seen }) => sum + seen, 0)
    expect(costs.reduce((sum, { requests }) => sum + requests, 0)).toBe(total)
    expect(run.cost['requests']).toBe(total)
  })

  test('the fleet evolves, a store and a namespace vanish, and after two more syncs REST equals it again', async () => {
    const [newer] = servers
    for (const server of servers) server.evolve({ verify: true })
    newer?.removeStore('short-lived')
    newer?.removeNamespace(newer.state.datastores[0]?.name ?? '', 'passing')
    const run = await syncAndWait(running)
    expect(summary(run)).toMatchObject({ status: 'completed', error: '' })
    expect(run.counts['created']).toBeGreaterThan(0)
    expect(run.counts['updated']).toBeGreaterThan(0)
    const missing = await allRows(running, 'datastores', '&missing_since__empty=false')
    expect(missing.map(({ name }) => name)).toEqual(['short-lived'])
    const next = await syncAndWait(running)
    expect(summary(next)).toMatchObject({ status: 'completed', error: '' })
    expect(Number(run.counts['deleted']) + Number(next.counts['deleted'])).toBeGreaterThan(8)
    await expectInventory(running, states())
  })

  test('another sync, with nothing changed, writes no inventory row', async () => {
    const before = await restart()
    const run = await syncAndWait(running)
    const after = await restart()
    expect(summary(run)).toMatchObject({ status: 'completed', scopes: [] })
    expect(run.counts).toMatchObject({ created: 0, updated: 0, deleted: 0, held_back: 0 })
    expect(run.counts['unchanged']).toBeGreaterThan(250)
    expect(after).toEqual(before)
    await expectInventory(running, states())
  })
})

const summary = ({ status, error, scopes }: RunAnswer) => ({ status: status.value, error, scopes })
