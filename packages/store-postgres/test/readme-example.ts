import { Queue, Runs } from '@netbox-pbs/core/ports'
import { Database, migrate, queueLayer, runsLayer } from '@netbox-pbs/store-postgres'
import { Effect, Layer } from 'effect'

/** Records a run, queues its one job and takes it, in memory. */
export const example = Effect.gen(function* () {
  yield* migrate
  const runs = yield* Runs
  const queue = yield* Queue
  const run = yield* runs.create({ resources: ['snapshots'], servers: ['pbs-a'], trigger: 'manual', user: 'ada' })
  yield* runs.expectJobs({ id: run.id, serverIds: [1] })
  const job = { runId: run.id, serverId: 1, resources: run.resources }
  yield* queue.enqueue(job, { urgent: true })
  return yield* queue.claim()
}).pipe(
  Effect.provide(Layer.mergeAll(runsLayer, queueLayer)),
  Effect.provide(Database.layerPglite({ dataDir: null })), // or Database.layerPg({ url })
)
