import { randomBytes } from 'node:crypto'
import type { Resource, Run, RunMode } from '@netbox-pbs/core'
import { Runs } from '@netbox-pbs/core/ports'
import { proxboxSourceLayer } from '@netbox-pbs/proxbox-client'
import { Database, inventoryLayer, queueLayer, secretBoxLayer, settingsLayer } from '@netbox-pbs/store-postgres'
import { startRun } from '@netbox-pbs/sync'
import { tick } from '@netbox-pbs/worker'
import { Context, Effect, Layer, Option, Redacted } from 'effect'
import { asPart, cpuSince } from '../child.ts'
import { recordedResources } from './recording.ts'
import { databaseAt, type StoreAt, writtenRows } from './store.ts'
import { type Waits, waitingMeanwhile } from './waits.ts'

/** The task of the worker's process. */
export interface WorkerTask {
  readonly store: StoreAt
  readonly gatewayUrl: string
  /** Whether a run's page is read again and again during the sync, to measure how long readers wait. */
  readonly measureReads: boolean
  /** How many syncs go before the one that is measured, in the same process; left out: none. */
  readonly before?: number
  /** The key that the gateway takes; left out: it takes any. */
  readonly gatewayKey?: string
  /** Left out: those of a recording. */
  readonly resources?: ReadonlyArray<Resource>
  /** How the run lists snapshots; left out: in full. */
  readonly mode?: RunMode
}

/** One sync: from asking for the run to the end of its last job. */
export interface WorkerAnswer {
  readonly seconds: number
  /** Processor time of this process for the work. */
  readonly cpuSeconds: number
  readonly peakRssMb: number
  readonly run: Run
  /** Rows written to the inventory's tables, where only this process can count them; null on a server. */
  readonly rowsWritten: number | null
  /** Null: nothing was read during the sync. */
  readonly waits: Waits | null
}

const syncOnce = ({
  store,
  gatewayUrl,
  measureReads,
  before: earlier = 0,
  gatewayKey = 'recorded',
  resources = recordedResources,
  mode = 'full',
}: WorkerTask) =>
  Effect.gen(function* () {
    const box = secretBoxLayer({
      key: Redacted.make(randomBytes(32).toString('base64')),
      keyName: 'NETBOX_PBS_SECRET_KEY',
    })
    const database = yield* Layer.build(databaseAt(store))
    const { driver } = Context.get(database, Database)
    const written = Effect.promise(async () => (driver._tag === 'pglite' ? await writtenRows(driver) : null))
    const stores = yield* Layer.build(
      Layer.mergeAll(inventoryLayer, queueLayer, settingsLayer).pipe(
        Layer.provide(Layer.succeedContext(database)),
        Layer.provide(box),
      ),
    )
    const address = Effect.succeed({ url: gatewayUrl, key: Redacted.make(gatewayKey) })
    const source = yield* Layer.build(proxboxSourceLayer({ address }))
    return yield* Effect.gen(function* () {
      const untilNoJobIsLeft = Effect.repeat(tick, { while: (worked) => worked })
      const start = startRun({ resources, servers: null, trigger: 'manual', mode, user: 'bench' })
      for (let nth = 0; nth < earlier; nth++) yield* Effect.zipRight(start, untilNoJobIsLeft)
      const before = yield* written
      const begun = performance.now()
      const cpu = cpuSince()
      const { id } = yield* start
      const [, waits] = measureReads
        ? yield* waitingMeanwhile(
            Effect.flatMap(Runs, (runs) => runs.get({ id })),
            untilNoJobIsLeft,
          )
        : [yield* untilNoJobIsLeft, null]
      const seconds = (performance.now() - begun) / 1000
      const cpuSeconds = cpu()
      const run = Option.getOrThrow(yield* (yield* Runs).get({ id }))
      const after = yield* written
      const rowsWritten = before === null || after === null ? null : after - before
      return { seconds, cpuSeconds, rowsWritten, peakRssMb: process.resourceUsage().maxRSS / 1024, run, waits }
    }).pipe(Effect.provide(stores), Effect.provide(source))
  }).pipe(Effect.scoped)

await asPart<WorkerTask, WorkerAnswer>((task) => Effect.runPromise(syncOnce(task)))
