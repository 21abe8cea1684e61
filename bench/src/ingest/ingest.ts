import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runPart, startPart } from '../child.ts'
import type { Result } from '../measure.ts'
import { secondsOfCopy } from './copy-rows.ts'
import type { GatewayAnswer, GatewayTask } from './gateway.ts'
import type { ReaderAnswer, ReaderTask } from './reader.ts'
import { discard, record } from './recording.ts'
import { migrated, type StoreAt, withDriver, writtenRows } from './store.ts'
import { pgliteStores, pgStores, type Stores } from './stores.ts'
import type { Waits } from './waits.ts'
import type { WorkerAnswer, WorkerTask } from './worker.ts'

/** The size to measure, and the database. */
export interface IngestOptions {
  readonly snapshots: number
  readonly store: StoreAt['_tag']
  /** A PostgreSQL server to use instead of a temporary one; its role may create databases. */
  readonly databaseUrl: string | null
  /** A folder for CPU profiles of the worker, one a case; null: none. */
  readonly profiles: string | null
}

/** The cost of one sync. */
export interface Sync {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly peakRssMb: number
  readonly rowsWritten: number
  readonly waits?: Waits
}

/** One sync in a process of its own. */
export async function syncOnce(task: WorkerTask, flags: ReadonlyArray<string>): Promise<Sync> {
  const { store } = task
  const before = await withDriver(store, writtenRows)
  const { seconds, cpuSeconds, peakRssMb, run, rowsWritten, waits } = await runPart<WorkerTask, WorkerAnswer>(
    'ingest/worker',
    task,
    flags,
  )
  if (run.status !== 'completed') throw new Error(`the run ended ${run.status}: ${JSON.stringify(run)}`)
  return {
    seconds,
    cpuSeconds,
    peakRssMb,
    rowsWritten: rowsWritten ?? (await withDriver(store, writtenRows)) - before,
    ...(waits && { waits }),
  }
}

/**
 * A first sync, a second one with nothing changed, and one with every hundredth snapshot changed,
 * each with its yardstick.
 */
export async function* ingest(options: IngestOptions): AsyncGenerator<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'netbox-pbs-bench-'))
  try {
    const stores = options.store === 'pg' ? await pgStores(options.databaseUrl) : pgliteStores(folder)
    try {
      yield* measured(options, stores, folder)
    } finally {
      await stores.drop()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function* measured(
  options: IngestOptions,
  { synced, copied, observed }: Stores,
  folder: string,
): AsyncGenerator<Result> {
  const { snapshots } = options
  await record(folder, 'recorded', { snapshots, changedEvery: null })
  await migrated(synced)
  await migrated(copied)
  const gateway = await startPart<GatewayTask, GatewayAnswer>('ingest/gateway', { folder })
  const flags = options.profiles === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${options.profiles}`]

  const sync = (recording: string, store = synced, measureReads = false): Promise<Sync> =>
    syncOnce({ store, gatewayUrl: `${gateway.answer.url}/${recording}`, measureReads }, flags)
  const toRead = async (recording: string) => {
    const task: ReaderTask = { url: `${gateway.answer.url}/${recording}` }
    return await runPart<ReaderTask, ReaderAnswer>('ingest/reader', task)
  }
  const result = (title: string, { seconds, cpuSeconds, ...measured }: Sync) => ({
    bench: `ingest ${options.store}`,
    case: title,
    n: snapshots,
    seconds,
    cpuSeconds,
    rowsPerSecond: snapshots / seconds,
    ...measured,
  })

  try {
    const first = await sync('recorded')
    yield {
      ...result('first', first),
      yardstick: { title: 'COPY', seconds: await secondsOfCopy(synced, copied, folder) },
    }
    // Alternating, so that noise of the machine meets both; it only ever adds.
    const unchanged = [await sync('recorded')]
    const read = [await toRead('recorded')]
    unchanged.push(await sync('recorded'))
    read.push(await toRead('recorded'))
    yield { ...result('unchanged', fastest(unchanged)), yardstick: readAndParse(read) }
    if (observed !== null) {
      await migrated(observed)
      yield result('pglite_wait', await sync('recorded', observed, true))
    }
    // One recording at a time: of millions of snapshots each takes gigabytes.
    await discard(folder, 'recorded')
    await record(folder, 'changed', { snapshots, changedEvery: 100 })
    const changed = await sync('changed')
    const readChanged = [await toRead('changed'), await toRead('changed')]
    yield { ...result('changed_1pct', changed), yardstick: readAndParse(readChanged) }
  } finally {
    await gateway.stop()
  }
}

const readAndParse = (rounds: ReadonlyArray<ReaderAnswer>) => ({
  title: 'read and JSON.parse',
  seconds: Math.min(...rounds.map(({ seconds }) => seconds)),
  cpuSeconds: Math.min(...rounds.map(({ cpuSeconds }) => cpuSeconds)),
})

/** The fastest round, with the most memory and the most rows that any round took. */
function fastest(rounds: ReadonlyArray<Sync>): Sync {
  const most = (of: (round: Sync) => number): number => Math.max(...rounds.map(of))
  return {
    seconds: Math.min(...rounds.map(({ seconds }) => seconds)),
    cpuSeconds: Math.min(...rounds.map(({ cpuSeconds }) => cpuSeconds)),
    peakRssMb: most(({ peakRssMb }) => peakRssMb),
    rowsWritten: most(({ rowsWritten }) => rowsWritten),
  }
}
