import type { EndpointStore, StoredEndpoint, StoreFailed } from '@netbox-pbs/core/ports'
import type { SyncItem } from '@netbox-pbs/proxbox-client/contract'
import { Effect, Stream } from 'effect'
import { contactServer, enabledEndpoints } from '../endpoints/endpoint-reader.ts'
import type { Fleet } from '../fleet/fleet.ts'
import type { HttpError } from '../http/http-error.ts'
import { syncStream } from './sync-stream.ts'
import { Tally } from './tally.ts'

/** What `GET /pbs/sync/…` can be asked for. */
export const summaryResources = ['full', 'datastores', 'snapshots', 'jobs', 'tasks', 'node'] as const

/** One of {@link summaryResources}. */
export type SummaryResource = (typeof summaryResources)[number]

type Items = Effect.Effect<ReadonlyArray<SyncItem>, HttpError | StoreFailed, EndpointStore | Fleet>

/** Counts only, as proxbox-api answers: each list is read and dropped. */
export const summaries = (resource: SummaryResource, branch: string | null): Items => {
  switch (resource) {
    case 'full':
      return Effect.map(
        Effect.forEach(['datastores', 'snapshots', 'jobs', 'node'] as const, (one) => summaries(one, branch)),
        (items) => items.flat(),
      )
    case 'node':
      return nodes(branch)
    default:
      return Effect.gen(function* () {
        const lines = yield* syncStream(resource, { netbox_branch_schema_id: branch })
        return yield* Stream.runFold(lines, [] as ReadonlyArray<SyncItem>, (items, { frame }) =>
          frame.frame === 'end' ? frame.items : items,
        )
      })
  }
}

const nodes = (branch: string | null): Items =>
  Effect.gen(function* () {
    const endpoints = yield* enabledEndpoints
    const tally = new Tally('node')
    const contact = (endpoint: StoredEndpoint) =>
      Effect.match(contactServer(endpoint, undefined), {
        onFailure: ({ message }) => tally.fail(endpoint.name, message),
        onSuccess: () => tally.answered(endpoint.name),
      })
    yield* Effect.forEach(endpoints, contact, { concurrency: 'unbounded', discard: true })
    return tally.items(endpoints, branch)
  })
