import { Source, SourceFailed, type SourceFrame, type SourceRequest } from '@netbox-pbs/core/ports'
import { Effect, Layer, type Scope, Stream } from 'effect'
import { ndjsonMediaType } from './contract/sync-request.ts'
import { readFrames } from './frames/read-frames.ts'
import { type GatewayHttp, type GatewayOptions, gatewayHttp } from './http/gateway-http.ts'
import type { GatewayResponse } from './http/response.ts'
import { proxboxApiFallback } from './proxbox-api.ts'

/**
 * The gateway as core's `Source`. It brings its own HTTP client (undici) and needs nothing else.
 *
 * A stream reads from the network only as fast as it is read; interrupting it closes the connection
 * at once. POSTs are never repeated: a failure says whether the caller may.
 */
export const proxboxSourceLayer = (options: GatewayOptions): Layer.Layer<Source> =>
  Layer.scoped(
    Source,
    Effect.map(gatewayHttp(options), (http) => ({
      frames: (request: SourceRequest) => Stream.unwrapScoped(framesOf(http, request)),
    })),
  )

type Frames = Stream.Stream<SourceFrame, SourceFailed>

const framesOf = (http: GatewayHttp, request: SourceRequest): Effect.Effect<Frames, SourceFailed, Scope.Scope> =>
  Effect.flatMap(
    http.open({
      method: 'POST',
      path: `/pbs/sync/${request.resource}`,
      accept: ndjsonMediaType,
      body: () => namesOf(request),
    }),
    (response) => {
      if (response.status === 200 && response.mediaType === ndjsonMediaType) {
        return Effect.succeed(readFrames(response.bytes, response.base))
      }
      return lacksFrames(response) ? proxboxApiFallback(http, request) : Effect.fail(unexpected(response))
    },
  )

function namesOf({ resource: _, ...names }: SourceRequest): Omit<SourceRequest, 'resource'> {
  return names
}

/**
 * A proxbox-api knows no POST here, and has no `/pbs/sync/servers`; one that learns POST may answer
 * with its summaries.
 */
const lacksFrames = ({ status, mediaType }: GatewayResponse): boolean =>
  status === 404 || status === 405 || (status === 200 && mediaType === 'application/json')

function unexpected({ status, base, mediaType }: GatewayResponse): SourceFailed {
  const what =
    status === 200 ? `sent ${mediaType === '' ? 'no media type' : 'another media type'}` : `answered ${status}`
  return new SourceFailed({
    code: 'protocol',
    message: `${base} ${what} where a stream of frames was requested: check that this is the address of the gateway, and that it is of the same release`,
    retryable: false,
  })
}
