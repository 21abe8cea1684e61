import { type Branches, type ChangeSets, type Inventory, type InventoryWrites, Retention } from '@netbox-pbs/core/ports'
import { create, landOnce, may, type Part, snapshotFacts } from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { afterAll, describe, expect, test } from 'vitest'
import type { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { main, personsBranch } from './contract/branch-edits.ts'
import { merge, newBranch, newFleet, revert, rows, stageOnce } from './contract/branching.ts'
import { engines } from './engines.ts'

/** Rows of a large write. */
const size = 1500

const facts = (server: number) =>
  Array.from({ length: size }, (_, nth) => snapshotFacts(server, String(1000 + nth), may(9)))

const found = (server: number): ReadonlyArray<Part> => [
  { model: 'snapshot', changes: facts(server).map((of) => create('snapshot', of)) },
]

/** A person's values of a new snapshot. */
const values = (server: number) =>
  facts(server).map(({ datastore_name, backup_type, backup_id, backup_time }) => ({
    server,
    datastore_name,
    backup_type,
    backup_id,
    backup_time,
  }))

/** A branch of a run that holds a large change, and what it lies over. */
const filled = (name: string) =>
  Effect.gen(function* () {
    const { server, snapshots } = yield* newFleet(name)
    const { id } = yield* newBranch(name)
    yield* stageOnce(id, snapshots, found(server))
    return id
  })

/** Takes from the planner what it knows of a table. */
const discard = (table: string) =>
  Effect.zipRight(
    rows(`delete from pg_statistic where starelid = '${table}'::regclass`),
    rows(`update pg_class set relpages = 0, reltuples = -1 where oid = '${table}'::regclass`),
  )

/** Whether the planner knows how many rows a table has, and which values they have. */
const isKnown = (table: string) =>
  Effect.map(
    rows<{ known: boolean }>(`
      select c.reltuples >= ${size} and exists (select from pg_stats s where s.tablename = c.relname and s.attname = 'backup_id') as known
      from pg_class c where c.oid = '${table}'::regclass`),
    ([row]) => row?.known,
  )

const isAnalyzed = (table: string) =>
  Effect.map(
    rows<{ known: boolean }>(`select reltuples > 0 as known from pg_class where oid = '${table}'::regclass`),
    ([row]) => row?.known,
  )

type Ports = Branches | ChangeSets | InventoryWrites | Retention | Database | Inventory

/** A large write: a preparation, which returns the write itself, and the table that the write fills. */
interface Write {
  readonly title: string
  readonly table: 'branch_snapshots' | 'snapshots'
  readonly prepare: (name: string) => Effect.Effect<Effect.Effect<unknown, unknown, Ports>, unknown, Ports>
}

const intoBranch: ReadonlyArray<Write> = [
  {
    title: 'a run that fills a branch',
    table: 'branch_snapshots',
    prepare: (name) =>
      Effect.gen(function* () {
        const { server, snapshots } = yield* newFleet(name)
        const { id } = yield* newBranch(name)
        return stageOnce(id, snapshots, found(server))
      }),
  },
  {
    title: 'a person who fills a branch',
    table: 'branch_snapshots',
    prepare: (name) =>
      Effect.gen(function* () {
        const { server } = yield* newFleet(name)
        const branch = yield* personsBranch(name)
        return branch.create('snapshot', ...values(server))
      }),
  },
  {
    title: 'a revert',
    table: 'branch_snapshots',
    prepare: (name) =>
      Effect.gen(function* () {
        const id = yield* filled(name)
        yield* merge(id)
        return revert(id, `${name}-reverted`)
      }),
  },
]

const intoMain: ReadonlyArray<Write> = [
  {
    title: 'a landing',
    table: 'snapshots',
    prepare: (name) => Effect.map(newFleet(name), ({ server, snapshots }) => landOnce(snapshots, found(server))),
  },
  {
    title: 'a merge',
    table: 'snapshots',
    prepare: (name) => Effect.map(filled(name), (id) => merge(id)),
  },
  {
    title: 'a person who creates many rows',
    table: 'snapshots',
    prepare: (name) =>
      Effect.gen(function* () {
        const { server } = yield* newFleet(name)
        return (yield* main).create('snapshot', ...values(server))
      }),
  },
]

describe.each(engines)('statistics on $engine', ({ migrated, engine }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  afterAll(() => runtime.dispose())

  // Main's tables are left to the autovacuum of a server; the embedded engine has none.
  const writes = engine === 'pg' ? intoBranch : [...intoBranch, ...intoMain]

  test.each(writes)('are collected by $title', async ({ title, table, prepare }) => {
    const [before, after] = await runtime.runPromise(
      Effect.gen(function* () {
        const write = yield* prepare(title.replaceAll(' ', '-'))
        yield* discard(table)
        const before = yield* isKnown(table)
        yield* write
        return [before, yield* isKnown(table)] as const
      }),
    )
    expect(before).toBe(false)
    expect(after).toBe(true)
  })

  test('are not collected again by a write that adds little', async () => {
    const stamps = await runtime.runPromise(
      Effect.gen(function* () {
        const { server, snapshots } = yield* newFleet('little')
        const { id } = yield* newBranch('little')
        yield* stageOnce(id, snapshots, found(server))
        const collected = rows(
          `select xmin::text from pg_statistic where starelid = 'branch_snapshots'::regclass order by staattnum`,
        )
        const before = yield* collected
        yield* stageOnce(id, snapshots, [
          ...found(server),
          { model: 'snapshot', changes: [create('snapshot', snapshotFacts(server, '1', may(9)))] },
        ])
        return { before, after: yield* collected }
      }),
    )
    expect(stamps.before.length).toBeGreaterThan(0)
    expect(stamps.after).toEqual(stamps.before)
  })

  const small = engine === 'pg' ? (['branch_snapshots'] as const) : (['branch_snapshots', 'snapshots'] as const)

  test.each(small)('of %s are collected when many small writes have filled it', async (table) => {
    const [before, after] = await runtime.runPromise(
      Effect.gen(function* () {
        const { server, snapshots } = yield* newFleet(`small-${table}`)
        const { id } = yield* newBranch(`small-${table}`)
        yield* discard(table)
        const before = yield* isAnalyzed(table)
        for (let done = 0; done < size; done += 50) {
          const changes = facts(server)
            .slice(done, done + 50)
            .map((of) => create('snapshot', of))
          if (table === 'snapshots') yield* landOnce(snapshots, [{ model: 'snapshot', changes }])
          else yield* stageOnce(id, snapshots, [{ model: 'snapshot', changes }])
        }
        return [before, yield* isAnalyzed(table)] as const
      }),
    )
    expect({ before, after }).toEqual({ before: false, after: true })
  })

  const kept = engine === 'pg' ? (['branch_snapshots'] as const) : (['branch_snapshots', 'snapshots'] as const)

  test.each(kept)('of %s are refreshed with the retention turn', async (table) => {
    const after = await runtime.runPromise(
      Effect.gen(function* () {
        yield* filled(`turn-${table}`)
        const { server, snapshots } = yield* newFleet(`turn-main-${table}`)
        yield* landOnce(snapshots, found(server))
        yield* discard(table)
        yield* Effect.flatMap(Retention, (retention) => retention.refreshStatistics())
        return yield* isKnown(table)
      }),
    )
    expect(after).toBe(true)
  })
})
