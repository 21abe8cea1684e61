import { type Resource, type Scope, scopeTitle } from '@netbox-pbs/core'
import {
  ChangeSets,
  type InventoryWrites,
  Queue,
  Runs,
  Source,
  SourceFailed,
  type SourceRequest,
} from '@netbox-pbs/core/ports'
import { Database, inventoryLayer, queueLayer, secretBoxLayer, settingsLayer } from '@netbox-pbs/store-postgres'
import { migratedTemplate, pglite } from '@netbox-pbs/store-postgres/engines'
import { type JobPorts, startRun } from '@netbox-pbs/sync'
import { type FleetServer, fleetFrames } from '@netbox-pbs/sync/memory'
import { postgresUrl, writesOneByOne } from '@netbox-pbs/testing'
import { tick } from '@netbox-pbs/worker'
import { Effect, Layer, Logger, LogLevel, ManagedRuntime, Option, Redacted, Stream } from 'effect'
import { afterAll, describe, expect, test } from 'vitest'

/**
 * With NETBOX_PBS_RACES=all (`pnpm races`) twenty of each race, and both renames at every point on both engines. Else
 * three, on PostgreSQL at every point the rename whose name another server takes, and on the embedded engine the other
 * one at every third.
 */
const all = process.env['NETBOX_PBS_RACES'] === 'all'
const rounds = all ? 20 : 3

/** When the server is renamed, in the life of a run: `never` is what each other point is compared with. */
const points = [
  'before the run',
  'while the job is queued',
  'when the source is asked for the first resource',
  'before the first scope',
  'inside a scope',
  'between the end of a list and its landing',
  'between two scopes',
  'when the source is asked for the second resource',
  'between two attempts',
  'after the run',
] as const
type Point = (typeof points)[number]

const engines: ReadonlyArray<{ readonly engine: string; readonly database: Layer.Layer<Database> }> = [
  { engine: 'pglite', database: pglite.migrated },
  {
    engine: 'pg',
    database: Layer.orDie(
      Layer.unwrapEffect(
        Effect.map(
          Effect.promise(() => postgresUrl(migratedTemplate)),
          (url) => Database.layerPg({ url: Redacted.make(url), poolSize: 6 }),
        ),
      ),
    ),
  },
]

const box = secretBoxLayer({ key: Redacted.make(Buffer.alloc(32, 7).toString('base64')), keyName: 'TEST_KEY' })
const actor = { user: 'ada', requestId: '5f6c0f6e-6a53-4a3a-9c0b-0a4d0c7f0001' } as const
const resources: ReadonlyArray<Resource> = ['datastores', 'snapshots', 'jobs']

describe.each(engines)('a server that is renamed, on $engine', ({ engine, database }) => {
  /** The servers as the gateway knows them. */
  let fleet: ReadonlyArray<FleetServer> = []
  /** The action at a point. */
  let at: (point: Point) => Effect.Effect<void> = () => Effect.void
  let cuts = 0

  const source = Layer.succeed(Source, {
    frames: (request: SourceRequest) =>
      Stream.unwrap(
        Effect.gen(function* () {
          const first = request.resource === 'datastores'
          if (request.resource === 'servers') return Stream.fromIterable(fleetFrames(fleet, request))
          yield* at(
            first
              ? 'when the source is asked for the first resource'
              : 'when the source is asked for the second resource',
          )
          let opened = 0
          const between = at('inside a scope')
          const frames = Stream.fromIterable(fleetFrames(fleet, request, { between }))
          if (first) yield* at('before the first scope')
          if (first && cuts-- > 0)
            return Stream.fail(new SourceFailed({ code: 'cut_off', message: 'cut off', retryable: true }))
          return Stream.tap(frames, (item) =>
            !Effect.isEffect(item) && item._tag === 'scope' && ++opened === 2 ? at('between two scopes') : Effect.void,
          )
        }),
      ).pipe(
        Stream.flatMap((item) => (Effect.isEffect(item) ? Stream.drain(Stream.fromEffect(item)) : Stream.make(item))),
      ),
  })
  const stores = Layer.mergeAll(inventoryLayer, queueLayer, settingsLayer).pipe(
    Layer.provideMerge(database),
    Layer.provide(box),
  )
  /** The same, with something that happens between the end of a list and its landing. */
  const watched = Layer.effect(
    ChangeSets,
    Effect.map(ChangeSets, (changeSets) => ({
      ...changeSets,
      land: (landing: Parameters<typeof changeSets.land>[0]) =>
        Effect.zipRight(at('between the end of a list and its landing'), changeSets.land(landing)),
    })),
  )
  const system = ManagedRuntime.make(Layer.merge(Layer.provideMerge(watched, stores), source))
  const run = <A, E>(effect: Effect.Effect<A, E, JobPorts | InventoryWrites | Database>) =>
    system.runPromise(Logger.withMinimumLogLevel(effect, LogLevel.None))

  const rows = (text: string): Effect.Effect<ReadonlyArray<Readonly<Record<string, unknown>>>, never, Database> =>
    Effect.flatMap(Database, ({ driver }) =>
      Effect.promise(async () =>
        driver._tag === 'pglite' ? (await driver.pglite.query(text)).rows : (await driver.pool.query(text)).rows,
      ),
    ) as Effect.Effect<ReadonlyArray<Readonly<Record<string, unknown>>>, never, Database> // border: the drivers know no columns

  afterAll(() => system.dispose())

  const idOf = (name: string) =>
    Effect.map(rows(`select id from servers where name = '${name}'`), ([row]) => Number(row?.['id']))

  /** Renames a server at the gateway and in the inventory. */
  const rename = (before: string, after: string) =>
    Effect.gen(function* () {
      const id = yield* idOf(before)
      yield* (yield* writesOneByOne).update({ model: 'server', id, values: { name: after }, actor })
      fleet = fleet.map((server) => (server.name === before ? { ...server, name: after } : server))
    }).pipe(Effect.provide(system), Effect.orDie, Effect.asVoid)

  /** Takes jobs until none is left; those that are tried again wait for nothing. */
  const work: Effect.Effect<void, unknown, JobPorts | Database> = Effect.gen(function* () {
    for (;;) {
      yield* Effect.repeat(tick, { while: (worked) => worked })
      const [waiting] = yield* rows(`select id from pgboss.job where name = 'sync' and state = 'retry'`)
      if (waiting === undefined) return
      yield* at('between two attempts')
      yield* rows(`update pgboss.job set start_after = now() where state = 'retry'`)
    }
  })

  const sync = (requested: ReadonlyArray<Resource>, servers: ReadonlyArray<string> | null) =>
    Effect.gen(function* () {
      const { id } = yield* startRun({ resources: requested, servers, trigger: 'manual', user: 'ada' })
      yield* at('while the job is queued')
      yield* work
      return id
    })

  const contents = (server: number) =>
    Effect.forEach(
      [
        `select name, comment, presence from datastores where server_id = ${server} order by 1`,
        `select datastore_name, path, presence, group_count, snapshot_count from namespaces where server_id = ${server} order by 1, 2`,
        `select datastore_name, namespace, backup_id, presence, snapshot_count from groups where server_id = ${server} order by 1, 2, 3`,
        `select datastore_name, namespace, backup_id, extract(hour from backup_time at time zone 'UTC')::int as hour, presence from snapshots where server_id = ${server} order by 1, 2, 3, 4`,
        `select job_type, job_id, presence from jobs where server_id = ${server} order by 1, 2`,
        `select count(*)::int as scopes, count(visibility)::int as visibilities from scopes where server_id = ${server}`,
      ],
      rows,
    )

  const before = (name: string, endpointId: number): FleetServer => ({
    name,
    endpointId,
    datastores: {
      tank: { namespaces: { '': { 'vm/1': [1, 2, 3], 'vm/2': [1] }, a: { 'ct/3': [1] } } },
      pond: { namespaces: { '': { 'vm/9': [1] } } },
    },
    jobs: { gc: ['tank', 'pond'] },
  })
  const after = (name: string, endpointId: number): FleetServer => ({
    ...before(name, endpointId),
    datastores: {
      tank: {
        comment: 'new',
        namespaces: { '': { 'vm/1': [1, 3, 4], 'vm/2': [1] }, a: { 'ct/3': [1] }, b: { 'ct/4': [5] } },
      },
      pond: { namespaces: { '': { 'vm/9': [1, 2] } } },
    },
    jobs: { gc: ['tank'] },
  })

  let lives = 0

  /** All that is seen of a run of two servers, of which `change` renames one or both at a point. */
  const life = (
    point: Point | 'never',
    change: (names: readonly [string, string]) => Effect.Effect<readonly [string, string]>,
  ) =>
    Effect.gen(function* () {
      lives += 1
      const names = [`first-${lives}`, `second-${lives}`] as const
      let now: readonly [string, string] = names
      const endpoints = [lives * 2, lives * 2 + 1] as const
      at = () => Effect.void
      fleet = [
        before(names[0], endpoints[0]),
        { ...before(names[1], endpoints[1]), datastores: { far: { namespaces: { '': { 'host/7': [7] } } } } },
      ]
      yield* sync(['servers', ...resources], null)
      const ids = [yield* idOf(names[0]), yield* idOf(names[1])] as const
      let happened = false
      at = (reached) =>
        Effect.suspend(() => {
          if (reached !== point || happened) return Effect.void
          happened = true
          // Whole, also where the list that it happens in is given up.
          return change(names).pipe(
            Effect.tap((changed) => {
              now = changed
            }),
            Effect.asVoid,
            Effect.uninterruptible,
          )
        })
      cuts = point === 'between two attempts' || point === 'never' ? 1 : 0
      fleet = fleet.map((server) => (server.name === names[0] ? after(names[0], endpoints[0]) : server))
      yield* at('before the run')
      const id = yield* sync(resources, [now[0]])
      yield* at('after the run')
      expect(happened).toBe(point !== 'never')
      const runs = yield* Runs
      const record = Option.getOrThrow(yield* runs.get({ id }))
      const scopes = yield* runs.scopes({ id, limit: 100, offset: 0 })
      const jobs = yield* runs.jobs({ id, limit: 100, offset: 0 })
      const anonymous = ({ scope, outcome, counts }: { scope: Scope; outcome: string; counts: object }) => {
        expect(scope).toMatchObject({ server: now[0] })
        return [scopeTitle({ ...scope, server: 'it' } as Scope), outcome, counts]
      }
      expect(jobs.rows.map(({ server }) => server)).toEqual([now[0]])
      const { status, error, counts, outcomes } = record
      return {
        run: { status, error, counts, outcomes },
        scopes: scopes.rows.map(anonymous).toSorted(),
        jobs: jobs.rows.map(({ state, error: failure }) => ({ state, failure })),
        first: yield* contents(ids[0]),
        second: yield* contents(ids[1]),
        left: yield* rows(
          "select (select count(*) from change_sets)::int as sets, (select count(*) from run_jobs where state <> 'ended')::int as jobs",
        ),
      }
    })

  const renameFirst = ([first, second]: readonly [string, string]) =>
    Effect.as(rename(first, `${first}-renamed`), [`${first}-renamed`, second] as const)
  const swap = ([first, second]: readonly [string, string]) =>
    rename(first, 'between').pipe(
      Effect.zipRight(rename(second, first)),
      Effect.zipRight(rename('between', second)),
      Effect.as([second, first] as const),
    )

  let plain: Promise<unknown> | undefined
  const unchanged = () => {
    plain ??= run(life('never', renameFirst))
    return plain
  }

  test.each(points.filter((_, nth) => all || (engine === 'pglite' && nth % 3 === 1)))(
    '%s: its run does the same',
    async (point) => {
      const expected = await unchanged()
      expect(await run(life(point, renameFirst))).toEqual(expected)
    },
  )

  // It makes the statements of a plain rename three times.
  test.each(all || engine === 'pg' ? points : [])(
    '%s, and gives its name to another: each keeps its own',
    async (point) => {
      const expected = await unchanged()
      expect(await run(life(point, swap))).toEqual(expected)
    },
  )

  test('a job queued under the old name and one asked for under the new name never run together', async () => {
    for (let time = 0; time < rounds; time++) {
      await run(
        Effect.gen(function* () {
          lives += 1
          const name = `one-${lives}`
          fleet = [before(name, 1000 + lives)]
          at = () => Effect.void
          yield* sync(['servers'], null)
          const request = { resources, trigger: 'manual', user: 'ada' } as const
          const old = yield* startRun({ ...request, servers: [name] })
          yield* rename(name, `${name}-renamed`)
          const requested = yield* startRun({ ...request, servers: [`${name}-renamed`] })
          const queue = yield* Queue
          const claimed = yield* Effect.all([queue.claim(), queue.claim(), queue.claim()], { concurrency: 3 })
          expect(claimed.flatMap(Option.toArray)).toHaveLength(1)
          for (const held of claimed.flatMap(Option.toArray)) yield* queue.release(held)
          yield* work
          const runs = yield* Runs
          for (const { id } of [old, requested])
            expect(Option.getOrThrow(yield* runs.get({ id }))).toMatchObject({ status: 'completed', error: '' })
        }),
      )
    }
  })

  test('a chosen server that is renamed while the job of the gateway waits is read', async () => {
    await run(
      Effect.gen(function* () {
        lives += 1
        const name = `chosen-${lives}`
        fleet = [before(name, 1000 + lives)]
        at = () => Effect.void
        yield* sync(['servers'], null)
        at = (reached) =>
          reached === 'while the job is queued' ? Effect.asVoid(rename(name, `${name}-renamed`)) : Effect.void
        const id = yield* sync(['servers', ...resources], [name])
        const runs = yield* Runs
        expect(Option.getOrThrow(yield* runs.get({ id }))).toMatchObject({
          status: 'completed',
          servers: [`${name}-renamed`],
          counts: { created: 13 },
        })
        expect(yield* runs.warnings({ id })).toEqual([])
      }),
    )
  })

  test('a run shows a renamed server by its new name, and a deleted one by its last', async () => {
    await run(
      Effect.gen(function* () {
        lives += 1
        const name = `shown-${lives}`
        fleet = [before(name, 1000 + lives)]
        at = () => Effect.void
        yield* sync(['servers'], null)
        const id = yield* sync(resources, [name])
        yield* rename(name, `${name}-renamed`)
        const shown = Effect.gen(function* () {
          const runs = yield* Runs
          const scopes = yield* runs.scopes({ id, limit: 100, offset: 0 })
          const jobs = yield* runs.jobs({ id, limit: 100, offset: 0 })
          return new Set([
            ...jobs.rows.map(({ server }) => server),
            ...scopes.rows.map(({ scope }) => ('server' in scope ? scope.server : null)),
          ])
        })
        expect(yield* shown).toEqual(new Set([`${name}-renamed`]))
        const server = yield* idOf(`${name}-renamed`)
        yield* (yield* writesOneByOne).remove({ model: 'server', id: server, actor })
        expect(yield* shown).toEqual(new Set([`${name}-renamed`]))
        expect(yield* rows(`select id from servers where id = ${server}`)).toEqual([])
      }),
    )
  })
})
