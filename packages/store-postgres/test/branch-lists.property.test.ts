import type { Filter, ListQuery, ModelName, OrderTerm } from '@netbox-pbs/core'
import { Branches, type ChangeSets, type Inventory, InventoryLists, type InventoryWrites } from '@netbox-pbs/core/ports'
import { oneByOne, writesOneByOne } from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime, Stream } from 'effect'
import { afterAll, describe, expect, test } from 'vitest'
import { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { copyBranch } from './contract/branch-copy.ts'
import { newBranch } from './contract/branching.ts'
import { Random } from './contract/random.ts'
import { type Ids, randomFleet, writeSome } from './contract/random-fleet.ts'
import { expectVerified } from './contract/verified.ts'
import { engines } from './engines.ts'

type Lists = InventoryLists['Type']
type Ports = Branches | ChangeSets | InventoryWrites | InventoryLists | Database | Inventory

const exact = (field: string, ...values: Filter['values']): Filter => ({ field, lookup: 'exact', values })
const by = (...fields: ReadonlyArray<string>): ReadonlyArray<OrderTerm> =>
  fields.map((field) => ({ field: field.replace('-', ''), descending: field.startsWith('-') }))

type Requested = Partial<Pick<ListQuery, 'filters' | 'search' | 'order'>>

/** The lists requested of every model, and of each. */
const everywhere: ReadonlyArray<Requested> = [
  {},
  { order: by('-id') },
  { order: by('server', '-last_seen_at') },
  { order: by('-server') },
]
const ofModel: Readonly<Partial<Record<ModelName, ReadonlyArray<Requested>>>> = {
  server: [{ search: 'A' }, { order: by('-port') }, { filters: [exact('name', 'a', 'd')] }],
  datastore: [
    { filters: [exact('name', 'tank', 'n1')] },
    { filters: [exact('used_bytes', 7)], order: by('-name') },
    { search: 'z' },
  ],
  namespace: [{ order: by('-snapshot_count', 'path') }, { filters: [exact('group_count', 1, 2)] }],
  group: [
    { order: by('-snapshot_count') },
    { order: by('last_backup') },
    {
      filters: [exact('newest_verification', 'ok')],
      order: by('-verified_unknown_count', 'only_key', 'newest_unencrypted'),
    },
    { filters: [exact('backup_id', '100')], order: by('-total_size') },
  ],
  snapshot: [
    { order: by('-backup_time') },
    { order: by('verified_at', '-size_bytes', 'verification_place', 'backup_time') },
    { filters: [exact('verification_state', 'ok')] },
    { filters: [exact('comment', 'x')], order: by('-size_bytes') },
    { filters: [exact('backup_id', '100', '200')] },
    { filters: [exact('namespace', 'a')], order: by('backup_time') },
    { search: 'y' },
  ],
  job: [{ filters: [exact('schedule', 'hourly')] }, { order: by('-last_run_state') }],
}

/** What a branch does not work out: the place of a verification that main lacks, and of what a group is a copy. */
const leftToMain = ['newest_verification_place', 'copy_of', 'points_behind', 'lag_since'] as const

const withoutMains = (row: object): object => ({
  ...row,
  ...Object.fromEntries(leftToMain.map((field) => [field, null])),
})

/** Every row of a list, page by page, and how many it says there are. */
const walked = (lists: Lists, model: ModelName, requested: Requested) =>
  Effect.gen(function* () {
    const rows: Array<unknown> = []
    const counts = new Set<number | null>()
    for (let offset = 0; ; offset += 4) {
      const page = { _tag: 'offset', limit: 4, offset } as const
      const found = yield* lists.list({ model, filters: [], search: null, order: [], ...requested, page })
      counts.add(found.count)
      rows.push(...found.rows.map(withoutMains))
      if (found.rows.length === 0) return { rows, counts: [...counts] }
    }
  })

/** Every row of a list as a stream of it has them, three at a time. */
const streamed = (lists: Lists, model: ModelName, requested: Requested) =>
  Effect.map(
    Stream.runCollect(
      lists.stream({ model, filters: [], search: null, order: [], ...requested, rowsAtOnce: 3 }, Effect.succeed),
    ),
    (parts) => [...parts].flat().map(withoutMains),
  )

const unjudged = {
  protection: 'unknown',
  protection_since: null,
  objective: null,
  objective_rule: null,
  fresh_until: null,
}

/** Rows that are expected, where a branch may not know the protection of a group that it changes. */
const asJudged = (got: ReadonlyArray<unknown>, want: ReadonlyArray<unknown>): ReadonlyArray<unknown> =>
  want.map((row, nth) => {
    const other = got[nth]
    const isUnjudged =
      typeof other === 'object' &&
      other !== null &&
      Object.entries(unjudged).every(([name, value]) => (other as Readonly<Record<string, unknown>>)[name] === value)
    return isUnjudged ? { ...(row as object), ...unjudged } : row
  })

const byCursor = (lists: Lists, model: ModelName) =>
  Effect.map(
    lists.list({ model, filters: [], search: null, order: [], page: { _tag: 'cursor', limit: 1000, start: 0 } }),
    ({ rows }) => rows.map(withoutMains),
  )

describe.each(engines)('lists in branches on $engine', ({ engine, migrated }) => {
  const opened: Array<ManagedRuntime.ManagedRuntime<Ports, never>> = []
  const open = () => {
    const runtime: ManagedRuntime.ManagedRuntime<Ports, never> = ManagedRuntime.make(
      Layer.provideMerge(inventoryLayer, migrated),
    )
    opened.push(runtime)
    return runtime
  }
  afterAll(() => Promise.all(opened.map((runtime) => runtime.dispose())))

  // The queries are the same on both engines; on the embedded one they take three times as long.
  const seeds = process.env['NETBOX_PBS_RACES'] === 'all' ? [1, 2, 3, 4] : engine === 'pglite' ? [1] : [1, 2]
  test.each(seeds)('are main with the change set applied, page by page (%i)', async (seed) => {
    const here = open()
    const there = open()
    const { branch, ids } = await here.runPromise(
      Effect.gen(function* () {
        const random = new Random(seed)
        const fleet: Ids = yield* randomFleet(random)
        const { id } = yield* newBranch(`random-${seed}`, 'operator')
        const overlay = (yield* Branches).overlay({ id })
        const main = yield* writesOneByOne
        const copy = (of: Ids): Ids => ({
          server: [...of.server],
          datastore: [...of.datastore],
          snapshot: [...of.snapshot],
          job: [...of.job],
        })
        const ofBranch = copy(fleet)
        // Main and the branch by turns, so that each meets what the other has done.
        for (let turn = 0; turn < 3; turn++) {
          yield* writeSome(oneByOne(overlay.writes), random, ofBranch, 12)
          yield* writeSome(main, random, fleet, 6)
        }
        return { branch: id, ids: ofBranch }
      }),
    )
    // The first read recounts main's changes since.
    await here.runPromise(
      Effect.flatMap(Branches, (branches) => byCursor(branches.overlay({ id: branch }).lists, 'snapshot')),
    )
    await here.runPromise(expectVerified)
    await here.runPromise(
      Effect.flatMap(Database, (from) =>
        from.query('copying', (a) =>
          there.runPromise(Effect.flatMap(Database, (to) => to.query('copying', (b) => copyBranch(a, branch, b)))),
        ),
      ),
    )
    const branchBanner = Effect.map(Branches, (branches) => branches.overlay({ id: branch }).lists)
    for (const model of ['server', 'datastore', 'namespace', 'group', 'snapshot', 'job'] as const) {
      for (const requested of [...everywhere, ...(ofModel[model] ?? [])]) {
        const got = await here.runPromise(Effect.flatMap(branchBanner, (lists) => walked(lists, model, requested)))
        const want = await there.runPromise(Effect.flatMap(InventoryLists, (lists) => walked(lists, model, requested)))
        expect(got, `${model} ${JSON.stringify(requested)}`).toEqual({ ...want, rows: asJudged(got.rows, want.rows) })
        const inBranch = await here.runPromise(
          Effect.flatMap(branchBanner, (lists) => streamed(lists, model, requested)),
        )
        const inMain = await there.runPromise(
          Effect.flatMap(InventoryLists, (lists) => streamed(lists, model, requested)),
        )
        expect([inBranch, inMain], `${model} ${JSON.stringify(requested)}`).toEqual([
          asJudged(inBranch, want.rows),
          want.rows,
        ])
      }
      const cursor = await here.runPromise(Effect.flatMap(branchBanner, (lists) => byCursor(lists, model)))
      expect(cursor, model).toEqual(
        asJudged(cursor, await there.runPromise(Effect.flatMap(InventoryLists, (lists) => byCursor(lists, model)))),
      )
    }
    const some = ids.snapshot.slice(0, 20)
    for (const id of some) {
      const got = await here.runPromise(Effect.flatMap(branchBanner, (lists) => lists.get({ model: 'snapshot', id })))
      expect(got).toEqual(
        await there.runPromise(Effect.flatMap(InventoryLists, (lists) => lists.get({ model: 'snapshot', id }))),
      )
    }
    const existing = await here.runPromise(
      Effect.flatMap(branchBanner, (lists) => lists.existing({ model: 'snapshot', ids: some })),
    )
    expect(existing).toEqual(
      await there.runPromise(
        Effect.flatMap(InventoryLists, (lists) => lists.existing({ model: 'snapshot', ids: some })),
      ),
    )
  })
})
