import { randomBytes } from 'node:crypto'
import type { Run } from '@netbox-pbs/core'
import { Runs } from '@netbox-pbs/core/ports'
import { proxboxSourceLayer } from '@netbox-pbs/proxbox-client'
import { inventoryLayer, queueLayer, secretBoxLayer, settingsLayer } from '@netbox-pbs/store-postgres'
import { startRun } from '@netbox-pbs/sync'
import { tick } from '@netbox-pbs/worker'
import { Effect, Layer, Option, Redacted } from 'effect'
import { asPart } from './child.ts'
import { recordedResources } from './recording.ts'
import { databaseAt, type StoreAt } from './store.ts'

/** What the worker's process is told. */
export interface WorkerTask {
  readonly store: StoreAt
  readonly gatewayUrl: string
}

/** One sync: from asking for the run to the end of its last job. */
export interface WorkerAnswer {
  readonly seconds: number
  readonly peakRssMb: number
  readonly run: Run
}

const syncOnce = ({ store, gatewayUrl }: WorkerTask) =>
  Effect.gen(function* () {
    const box = secretBoxLayer({
      key: Redacted.make(randomBytes(32).toString('base64')),
      keyName: 'NETBOX_PBS_SECRET_KEY',
    })
    const stores = yield* Layer.build(
      Layer.mergeAll(inventoryLayer, queueLayer, settingsLayer).pipe(
        Layer.provide(databaseAt(store)),
        Layer.provide(box),
      ),
    )
    const address = Effect.succeed({ url: gatewayUrl, key: Redacted.make('recorded') })
    const source = yield* Layer.build(proxboxSourceLayer({ address }))
    return yield* Effect.gen(function* () {
      const begun = performance.now()
      const { id } = yield* startRun({ resources: recordedResources, servers: null, trigger: 'manual', user: 'bench' })
      while (yield* tick) {
        // until no job is left
      }
      const seconds = (performance.now() - begun) / 1000
      const run = Option.getOrThrow(yield* (yield* Runs).get({ id }))
      return { seconds, peakRssMb: process.resourceUsage().maxRSS / 1024, run }
    }).pipe(Effect.provide(stores), Effect.provide(source))
  }).pipe(Effect.scoped)

await asPart<WorkerTask, WorkerAnswer>((task) => Effect.runPromise(syncOnce(task)))
