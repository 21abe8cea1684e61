import { type ApiProcess, startApiProcess } from '../api-process.ts'
import { fillMain, serverName } from '../branch/fill-main.ts'
import { type Driver, migrated, type StoreAt, withDriver } from '../ingest/store.ts'
import { pgStores } from '../ingest/stores.ts'
import type { Waits } from '../ingest/waits.ts'
import type { Result } from '../measure.ts'
import { startCrowd, waitsOf } from './clients.ts'

/** The size to measure, and the database. */
export interface SearchesOptions {
  readonly snapshots: number
  /** Seconds that each case is measured for. */
  readonly seconds: number
  /** A PostgreSQL server to use instead of a temporary one; its role may create databases. */
  readonly databaseUrl: string | null
}

const list = '/api/plugins/pbs/snapshots/'
const clients = 8
/** Every snapshot's comment contains it, and no index knows how many. */
const search = `${list}?q=guest`

/** How the eight clients behave, and after how many milliseconds they give a request up. */
const crowds = [
  ['searches_given_up', 1000],
  ['searches', null],
] as const

/** One client's small reads over HTTP: alone, and while eight others search all snapshots. */
export async function* searches({ snapshots, seconds, databaseUrl }: SearchesOptions): AsyncGenerator<Result> {
  const { synced, drop } = await pgStores(databaseUrl)
  try {
    await migrated(synced)
    await withDriver(synced, (driver) => fillMain(driver, snapshots))
    const api = await startApiProcess({ script: 'start:api', databaseUrl: synced.url })
    try {
      yield* measured(api, synced, { snapshots, seconds })
    } finally {
      await api.stop()
    }
  } finally {
    await drop()
  }
}

async function* measured(
  api: ApiProcess,
  store: StoreAt,
  { snapshots, seconds }: Omit<SearchesOptions, 'databaseUrl'>,
): AsyncGenerator<Result> {
  const reads = [
    ['page', list],
    ['detail', `${list}${await numberFrom(store, 'select max(id) / 2 as n from snapshots')}/`],
    ['page_of_server', `${list}?server=${serverName(5)}`],
  ] as const
  const paths = reads.map(([, path]) => path)
  await waitsOf(api, paths, 1)
  const alone = await waitsOf(api, paths, seconds)
  for (const [nth, [title]] of reads.entries()) yield result(title, snapshots, alone[nth])
  for (const [behaviour, patience] of crowds) {
    const crowd = startCrowd(api, { clients, path: search, patience })
    const waits = await waitsOf(api, paths, seconds).finally(() => crowd.leave())
    const idleAfterMs = await withDriver(store, millisUntilIdle)
    for (const [nth, [title]] of reads.entries()) {
      const yardstick = { title: 'alone', seconds: (alone[nth]?.p50 ?? 0) / 1000 }
      const measured = result(`${title}_${behaviour}`, snapshots, waits[nth])
      yield { ...measured, yardstick, load: { answers: crowd.answers, idleAfterMs } }
    }
  }
}

const numberFrom = (store: StoreAt, statement: string): Promise<number> =>
  withDriver(store, (driver) => numberOf(driver, statement))

async function numberOf(driver: Driver, statement: string): Promise<number> {
  if (driver._tag !== 'pg') throw new Error('the clients of one process are measured on a server')
  return Number((await driver.pool.query(statement)).rows[0]?.n)
}

/** Statements that the API has running in the database. */
const statementsOfApi = `
  select count(*) as n from pg_stat_activity
  where datname = current_database() and application_name = 'netbox-pbs api' and state = 'active'`

/**
 * Milliseconds until the database runs nothing for the API. A search that runs on for ten seconds
 * ends the benchmark.
 */
async function millisUntilIdle(driver: Driver): Promise<number> {
  const begun = performance.now()
  while ((await numberOf(driver, statementsOfApi)) > 0) {
    if (performance.now() - begun > 10_000) throw new Error('a search still runs ten seconds after its client has left')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return performance.now() - begun
}

function result(title: string, n: number, waits: Waits | undefined): Result {
  if (waits === undefined) throw new Error(`${title} was not read`)
  const seconds = waits.p50 / 1000
  const peakRssMb = process.resourceUsage().maxRSS / 1024
  return { bench: 'searches pg', case: title, n, seconds, rowsPerSecond: 1 / seconds, peakRssMb, waits }
}
