import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Branches, type ChangeSets, type Inventory, InventoryLists } from '@netbox-pbs/core/ports'
import { Database, inventoryLayer } from '@netbox-pbs/store-postgres'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { type Driver, databaseAt, executed, migrated } from '../ingest/store.ts'
import { pgliteStores, pgStores, type Stores } from '../ingest/stores.ts'
import type { Result } from '../measure.ts'
import { fillMain, secondsOfFullCopy, serverName, servers } from './fill-main.ts'
import { coldPages, middle, pagesOf, secondsOf, secondsOfPage } from './pages.ts'
import { changeOf, changesOf, deletionOf, openBranch, stageAll } from './stage-changes.ts'

/** The size to measure, and the database. */
export interface BranchOptions {
  readonly snapshots: number
  /** Sizes of branches, in changes. One of more than half of the snapshots is left out. */
  readonly changes: ReadonlyArray<number>
  readonly store: 'pg' | 'pglite'
  /** A PostgreSQL server to use instead of a temporary one; its role may create databases. */
  readonly databaseUrl: string | null
}

type Services = Branches | ChangeSets | Database | Inventory | InventoryLists

/** A database with main filled, and how its ports are called. */
interface Bench {
  readonly snapshots: number
  readonly driver: Driver
  readonly run: <A, E>(effect: Effect.Effect<A, E, Services>) => Promise<A>
}

const fleet = Array.from({ length: servers }, (_, place) => serverName(place))
const openings = 20
const hand = { user: 'bench', requestId: '5f6c0f6e-6a53-4a3a-9c0b-0a4d0c7f0001' }

/**
 * Measures opening, staging, listing, comparing and merging branches, and compares lists in a
 * branch with those of main.
 */
export async function* branch({ snapshots, changes, store, databaseUrl }: BranchOptions): AsyncGenerator<Result> {
  const stores = store === 'pg' ? await pgStores(databaseUrl) : await inFolder()
  try {
    await migrated(stores.synced)
    const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, databaseAt(stores.synced)))
    try {
      const { driver } = await runtime.runPromise(Database)
      await fillMain(driver, snapshots)
      const bench: Bench = { snapshots, driver, run: (effect) => runtime.runPromise(effect) }
      yield await opening(bench)
      for (const size of changes.filter((one) => one <= snapshots / 2)) yield* ofSize(bench, size)
      yield* headDeleted(bench)
    } finally {
      await runtime.dispose()
    }
  } finally {
    await stores.drop()
  }
}

/** Data folders of PGlite, in a temporary folder that is removed with them. */
async function inFolder(): Promise<Stores> {
  const folder = await mkdtemp(join(tmpdir(), 'netbox-pbs-bench-'))
  return { ...pgliteStores(folder), drop: () => rm(folder, { recursive: true }) }
}

/** Opening a branch, compared with a full copy of the snapshots. */
async function opening({ snapshots, driver, run }: Bench): Promise<Result> {
  const taken: Array<number> = []
  for (let nth = 0; nth <= openings; nth++) taken.push(await run(secondsOf(openBranch(`opened-${nth}`, 1000 + nth))))
  const yardstick = { title: 'full copy', seconds: await secondsOfFullCopy(driver) }
  return { ...result(driver, 'open', snapshots, middle(taken.slice(1)), 1), yardstick }
}

/** A branch of a sync from its first change to its merge. */
async function* ofSize({ snapshots, driver, run }: Bench, size: number): AsyncGenerator<Result> {
  const runId = 10_000 + size
  const made = await run(changesOf(fleet, { step: Math.floor(snapshots / size), change: changeOf }))
  const { id } = await run(openBranch(`changes-${size}`, runId))
  const of = (title: string, seconds: number) => ({ ...result(driver, title, snapshots, seconds, size), changes: size })
  yield of('stage', await run(secondsOf(stageAll(id, runId, made))))
  yield* lists({ snapshots, driver, run }, id, { pages: coldPages, suffix: '', size })
  // The next run finds the same, while the branch waits.
  yield of('stage_again', await run(secondsOf(stageAll(id, runId + 1, made))))
  await analyzed(driver)
  const withBranches = <A, E>(use: (branches: Branches['Type']) => Effect.Effect<A, E>) => Effect.flatMap(Branches, use)
  yield of('list', await run(secondsOf(withBranches((branches) => branches.changes({ id, limit: 50, offset: 0 })))))
  yield* lists({ snapshots, driver, run }, id, { pages: pagesOf(snapshots), suffix: '', size })
  await editInMain(driver, id)
  yield of('conflicts', await run(secondsOf(withBranches((branches) => branches.check({ id })))))
  const answer = { id, filter: {}, resolution: { choice: 'branch' }, user: 'bench' } as const
  yield of('resolve', await run(secondsOf(withBranches((branches) => branches.resolve(answer)))))
  const merging = { id, by: hand, at: '2026-06-03T00:00:00Z', approval: false }
  yield of(
    'merge_dry_run',
    await run(secondsOf(withBranches((branches) => branches.merge({ ...merging, commit: false })))),
  )
  yield of('merge', await run(secondsOf(withBranches((branches) => branches.merge({ ...merging, commit: true })))))
  await analyzed(driver)
}

/** A branch in which all rows of the first server are deleted, one by one, as a sync that no longer finds them does. */
async function* headDeleted(bench: Bench): AsyncGenerator<Result> {
  const made = await bench.run(changesOf(fleet.slice(0, 1), { step: 1, change: deletionOf }))
  const { id } = await bench.run(openBranch('head-deleted', 9))
  await bench.run(stageAll(id, 9, made))
  await analyzed(bench.driver)
  const deleted = made.reduce((sum, { snapshots }) => sum + snapshots.length, 0)
  yield* lists(bench, id, { pages: pagesOf(bench.snapshots), suffix: '_head_deleted', size: deleted })
}

/** Lists in a branch, each compared with the same list of main. */
async function* lists(
  { snapshots, driver, run }: Bench,
  id: number,
  { pages, suffix, size }: { readonly pages: typeof coldPages; readonly suffix: string; readonly size: number },
): AsyncGenerator<Result> {
  for (const [title, query] of pages) {
    const seconds = await run(
      Effect.gen(function* () {
        const overlay = (yield* Branches).overlay({ id }).lists
        return yield* secondsOfPage(query, overlay, yield* InventoryLists)
      }),
    )
    const measured = {
      ...result(driver, `${title}${suffix}`, snapshots, seconds.overlay, query.page.limit),
      changes: size,
    }
    yield { ...measured, yardstick: { title: 'main', seconds: seconds.main } }
  }
}

/** A user changes in main every hundredth row that the branch updates, so that both have changed it. */
async function editInMain(driver: Driver, branchId: number): Promise<void> {
  await executed(
    driver,
    `update snapshots s set comment = 'by a user' from branch_snapshots e
     where e.branch_id = ${branchId} and e.op = 'update' and e.id = s.id and e.id % 100 = 0`,
  )
}

/** Analyzes as a server's autovacuum would, so that a plan does not depend on its timing. */
async function analyzed(driver: Driver): Promise<void> {
  if (driver._tag === 'pg') await driver.pool.query('analyze')
}

const result = (driver: Driver, title: string, n: number, seconds: number, rows: number): Result => ({
  bench: `branch ${driver._tag}`,
  case: title,
  n,
  seconds,
  rowsPerSecond: rows / seconds,
  peakRssMb: process.resourceUsage().maxRSS / 1024,
})
