import { type Resource, scopeTitle } from '@netbox-pbs/core'
import { Branches, InventoryLists, Runs, SettingsStore, Source } from '@netbox-pbs/core/ports'
import { Database, inventoryLayer, queueLayer, secretBoxLayer, settingsLayer } from '@netbox-pbs/store-postgres'
import { pglite } from '@netbox-pbs/store-postgres/engines'
import { endLostJobs, type JobPorts, startRun } from '@netbox-pbs/sync'
import { type FleetServer, fleetFrames } from '@netbox-pbs/sync/memory'
import { writesOneByOne } from '@netbox-pbs/testing'
import { Effect, Layer, Logger, LogLevel, ManagedRuntime, Redacted, Stream } from 'effect'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { tick } from '../src/index.ts'

const hours = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, hour) => hour)
const pbsA = (datastores: FleetServer['datastores']): FleetServer => ({
  name: 'pbs-a',
  endpointId: 1,
  datastores,
  jobs: { gc: Object.keys(datastores) },
})
let fleet: ReadonlyArray<FleetServer> = []

// No trouble is asked for here: every item is a frame.
const source = Layer.succeed(Source, {
  frames: (request) =>
    Stream.suspend(() => Stream.fromIterable(fleetFrames(fleet, request))).pipe(
      Stream.flatMap((item) => (Effect.isEffect(item) ? Stream.drain(Stream.fromEffect(item)) : Stream.make(item))),
    ),
})
const box = secretBoxLayer({ key: Redacted.make(Buffer.alloc(32, 7).toString('base64')), keyName: 'TEST_KEY' })
const stores = Layer.mergeAll(inventoryLayer, queueLayer, settingsLayer).pipe(
  Layer.provideMerge(pglite.migrated),
  Layer.provide(box),
)
const system = ManagedRuntime.make(Layer.merge(stores, source))

afterAll(() => system.dispose())

/** Syncs the fleet on the real store. */
const sync = (next: ReadonlyArray<FleetServer>, resources: ReadonlyArray<Resource>) => {
  fleet = next
  const work: Effect.Effect<void, unknown, JobPorts> = Effect.repeat(tick, { while: (worked) => worked })
  return system.runPromise(
    Effect.gen(function* () {
      const { id } = yield* startRun({ resources, servers: null, trigger: 'manual', user: 'admin' })
      yield* work
      const runs = yield* Runs
      const { rows } = yield* runs.scopes({ id, limit: 100, offset: 0 })
      const run = yield* Effect.flatten(runs.get({ id }))
      return {
        status: run.status,
        error: run.error,
        counts: run.counts,
        ends: rows.map(({ scope, outcome, reason }) =>
          [scopeTitle(scope), outcome, ...(reason === null ? [] : [reason.code])].join(': '),
        ),
      }
    }),
  )
}
const everything = ['servers', 'datastores', 'snapshots', 'jobs'] as const

test('a fleet goes through its life on the real store', async () => {
  const whole = pbsA({
    tank: { namespaces: { '': { 'vm/1': hours(3) }, a: { 'vm/2': hours(12) }, 'a/b': { 'ct/3': [1] } } },
    pond: { namespaces: { '': { 'vm/9': [1] } } },
  })
  expect(await sync([whole], everything)).toMatchObject({
    status: 'completed',
    error: '',
    counts: { created: 1 + 2 + 4 + 17 + 2, updated: 0, deleted: 0, held_back: 0, unchanged: 0 },
  })

  expect(await sync([whole], everything)).toEqual({
    status: 'completed',
    error: '',
    counts: { created: 0, updated: 0, deleted: 0, held_back: 0, unchanged: 26 },
    ends: [],
  })

  const less = pbsA({ tank: { namespaces: { '': { 'vm/1': [0, 2, 7] } } } })
  // One list that lacks them is no proof, except for a snapshot inside a group that is listed.
  expect(await sync([less], everything)).toMatchObject({
    status: 'completed',
    counts: { created: 1, updated: 0, deleted: 1, held_back: 0 },
  })
  expect(await sync([less], everything)).toMatchObject({
    status: 'incomplete',
    ends: [
      'snapshots of pbs-a/pond: landed',
      'namespaces of pbs-a/pond: landed',
      'datastores of pbs-a: landed',
      'snapshots of pbs-a/tank/a/b: landed',
      'snapshots of pbs-a/tank/a: held_back: emptied',
      'namespaces of pbs-a/tank: held_back: children_held',
      'gc jobs of pbs-a: landed',
    ],
  })

  expect(await sync([whole], everything)).toMatchObject({ status: 'completed', counts: { held_back: 0, deleted: 1 } })
  expect(await sync([whole], everything)).toMatchObject({ status: 'completed', ends: [] })

  expect(await sync([], ['servers'])).toMatchObject({ status: 'completed', counts: { updated: 1, deleted: 0 } })
  expect(await sync([], ['snapshots'])).toMatchObject({ status: 'completed', ends: [] })
})

const hand = { user: 'ann', requestId: 'a2f3a0d2-58c5-4d7a-8c46-2a4f5c0e7b11' }
const newest = Effect.flatMap(Branches, (branches) => branches.list({ limit: 1, offset: 0 })).pipe(
  Effect.flatMap(({ rows }) => Effect.fromNullable(rows[0])),
)

test('with branches, what main and source disagree about waits for review, and the rest lands', async () => {
  const store = (comment: string, guests: ReadonlyArray<number>) => ({
    name: 'pbs-b',
    endpointId: 2,
    datastores: { tank: { comment, namespaces: { '': { 'vm/1': guests }, a: { 'vm/2': hours(12) } } } },
  })
  const resources = ['servers', 'datastores', 'snapshots'] as const
  await sync([store('', [1])], resources)
  await system.runPromise(Effect.flatMap(SettingsStore, (settings) => settings.update({ branching_enabled: true })))

  expect(await sync([store('', [1, 2])], resources)).toMatchObject({
    status: 'completed',
    ends: ['snapshots of pbs-b/tank: staged'],
  })
  expect(await system.runPromise(newest)).toMatchObject({ status: 'merged', changes: 1 })
  expect(await sync([store('', [1, 2])], resources)).toMatchObject({ status: 'completed', ends: [] })
  expect(await system.runPromise(newest)).toMatchObject({ status: 'no_changes' })

  // A list that lost all of a namespace keeps the branch from merging by itself.
  const removed = { ...store('source', [1, 2]) }
  removed.datastores.tank.namespaces.a = { 'vm/2': [] }
  expect(await sync([removed], resources)).toMatchObject({ status: 'completed' })
  const review = await system.runPromise(newest)
  expect(review).toMatchObject({ status: 'in_review', conflicts: 1 })
  const outcome = await system.runPromise(
    Effect.gen(function* () {
      const branches = yield* Branches
      const lists = yield* InventoryLists
      const query = { filters: [], search: null, order: [], page: { _tag: 'offset', limit: 10, offset: 0 } } as const
      const stores = yield* lists.list({ model: 'datastore', ...query })
      const tank = stores.rows.find(({ serverName }) => serverName === 'pbs-b')
      yield* (yield* writesOneByOne).update({
        model: 'datastore',
        id: tank?.id ?? 0,
        values: { comment: 'edited' },
        actor: hand,
      })
      yield* branches.check({ id: review.id })
      const { rows } = yield* branches.conflicts({ id: review.id, filter: {}, limit: 10, offset: 0 })
      yield* branches.resolve({
        id: review.id,
        filter: { kinds: ['update_update'] },
        resolution: { choice: 'main' },
        user: 'ann',
      })
      yield* branches.resolve({
        id: review.id,
        filter: { kinds: ['guard'] },
        resolution: { choice: 'branch' },
        user: 'ann',
      })
      const merged = yield* branches.merge({
        id: review.id,
        commit: true,
        by: hand,
        at: '2026-06-01T00:00:00Z',
        approval: false,
      })
      const after = yield* lists.get({ model: 'datastore', id: tank?.id ?? 0 })
      return {
        tank: tank?.id ?? 0,
        conflicts: rows.map(({ kind, field, title }) => [kind, field, title]),
        merged,
        after,
      }
    }),
  )
  expect(outcome.conflicts.toSorted()).toEqual([
    ['guard', null, 'snapshots of pbs-b/tank/a'],
    ['update_update', 'comment', 'pbs-b/tank'],
  ])
  expect(outcome.merged).toMatchObject({ branch: { status: 'merged' }, counts: { created: 0, deleted: 12 } })
  expect(outcome.after).toMatchObject({ value: { comment: 'edited' } })

  // A value decided against the source stays, also without branches, until the source has a new one.
  const comment = (store: typeof removed) =>
    sync([store], resources).then(() =>
      system.runPromise(
        Effect.flatMap(InventoryLists, (lists) => lists.get({ model: 'datastore', id: outcome.tank })).pipe(
          Effect.map((row) => (row._tag === 'Some' ? row.value.comment : '')),
        ),
      ),
    )
  for (let runs = 0; runs < 3; runs++) expect(await comment(removed)).toBe('edited')
  const news = { ...removed, datastores: { tank: { ...removed.datastores.tank, comment: 'news' } } }
  expect(await comment(news)).toBe('edited')
  expect(await system.runPromise(newest)).toMatchObject({ status: 'in_review', conflicts: 1 })
  await system.runPromise(Effect.flatMap(SettingsStore, (settings) => settings.update({ branching_enabled: false })))
  expect(await comment(removed)).toBe('edited')
  expect(await comment(news)).toBe('news')
})

describe('a run whose process was killed', () => {
  const statement = (text: string) =>
    system.runPromise(
      Effect.flatMap(Database, ({ driver }) =>
        driver._tag === 'pglite' ? Effect.promise(() => driver.pglite.exec(text)) : Effect.dieMessage('not embedded'),
      ),
    )
  const request = { resources: ['datastores', 'jobs'], servers: null, trigger: 'manual', user: 'admin' } as const
  const after = async (point: string, run: { readonly id: number }) => {
    await statement(point)
    await system.runPromise(endLostJobs)
    const early = await system.runPromise(Effect.flatMap(Runs, (runs) => Effect.flatten(runs.get(run))))
    await statement("update runs set created = created - interval '6 minutes'")
    await statement("update run_jobs set noted = noted - interval '6 minutes'")
    await system.runPromise(endLostJobs.pipe(Logger.withMinimumLogLevel(LogLevel.None)))
    const { status, error } = await system.runPromise(Effect.flatMap(Runs, (runs) => Effect.flatten(runs.get(run))))
    return [early.status, status, error]
  }
  const lost = (server: string) =>
    `the job of ${server}: it was lost: the process that queued it stopped half-way, or the queue has lost it; start the sync again`

  beforeAll(async () => {
    await system.runPromise(Effect.flatMap(SettingsStore, (settings) => settings.update({ branching_enabled: false })))
    await sync(
      [pbsA({ tank: { namespaces: {} } }), { ...pbsA({}), name: 'pbs-b', endpointId: 2 }],
      ['servers', 'datastores', 'jobs'],
    )
  })

  test('before it named its jobs', async () => {
    const run = await system.runPromise(Effect.flatMap(Runs, (runs) => runs.create(request)))
    expect(await after('select 1', run)).toEqual(['pending', 'failed', lost('the gateway')])
  })

  test('before it queued the job of the gateway', async () => {
    const run = await system.runPromise(startRun({ ...request, resources: ['servers'] }))
    expect(await after('delete from pgboss.job', run)).toEqual(['pending', 'failed', lost('the gateway')])
  })

  test('between the jobs of two servers: the first is done, the second ends', async () => {
    const run = await system.runPromise(startRun(request))
    const kill = `delete from pgboss.job where (data ->> 'serverId')::int = (select id from servers where name = 'pbs-b') and (data ->> 'runId')::int = ${run.id}`
    expect(await after(kill, run)).toEqual(['pending', 'pending', lost('pbs-b')])
    await system.runPromise(Effect.repeat(tick, { while: (worked) => worked }))
    expect(await after('select 1', run)).toEqual(['incomplete', 'incomplete', lost('pbs-b')])
  })

  test('before its jobs are taken: they wait in the queue, and the run waits for them', async () => {
    const run = await system.runPromise(startRun(request))
    expect(await after('select 1', run)).toEqual(['pending', 'pending', ''])
    await system.runPromise(Effect.repeat(tick, { while: (worked) => worked }))
  })
})
