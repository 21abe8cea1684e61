import type { Run } from '@netbox-pbs/core'
import { Queue, Runs, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import type { RunRequest } from './run-request.ts'

/** Records a run and queues its first job: the gateway's, which queues those of the servers. */
export const startRun = (
  request: RunRequest & { readonly trigger: 'manual'; readonly user: string },
): Effect.Effect<Run, StoreFailed, Runs | Queue> =>
  Effect.gen(function* () {
    const runs = yield* Runs
    const queue = yield* Queue
    const run = yield* runs.create(request)
    yield* runs.expectJobs({ id: run.id, servers: [null] })
    yield* queue.enqueue({ runId: run.id, server: null, resources: request.resources, servers: request.servers })
    return run
  })
