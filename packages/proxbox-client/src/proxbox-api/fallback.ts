import { SourceFailed, type SourceFrame, type SourceRequest } from '@netbox-pbs/core/ports'
import { Clock, Effect, Stream } from 'effect'
import type { GatewayHttp } from '../http/gateway-http.ts'
import { listEndpoints, readStatus } from './routes.ts'
import { serverFrames } from './server-frames.ts'

/**
 * What can be had where no route streams frames. Servers come from the endpoints and their status; everything else
 * fails with `summaries_only`, after a look whether this is a proxbox-api at all.
 */
export const proxboxApiFallback = Effect.fn('ProxboxApi.proxboxApiFallback')(function* (
  http: GatewayHttp,
  request: SourceRequest,
) {
  const endpoints = yield* listEndpoints(http)
  if (request.resource !== 'servers') return yield* summariesOnly(request)
  const status = yield* readStatus(http)
  const now = yield* Clock.currentTimeMillis
  const frames: ReadonlyArray<SourceFrame> = serverFrames({ endpoints, status, now, warning: onlyServers })
  return Stream.fromIterable(frames)
})

const nextStep = 'set the address to a netbox-pbs gateway'

const onlyServers = `this proxbox-api counts datastores, snapshots and jobs but returns none of them, so that only servers are synced: ${nextStep}`

const summariesOnly = ({ resource }: SourceRequest) =>
  Effect.fail(
    new SourceFailed({
      code: 'summaries_only',
      message: `${resource} cannot be synced from this proxbox-api: it counts them, but no route of it returns them: ${nextStep}`,
      retryable: false,
    }),
  )
