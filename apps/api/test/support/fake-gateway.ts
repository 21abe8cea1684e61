import {
  type Endpoint,
  type EndpointInput,
  EndpointNotFound,
  EndpointRejected,
  Endpoints,
  type EndpointTest,
  GatewayUnavailable,
} from '@netbox-pbs/core/ports'
import { Effect, Layer, Redacted } from 'effect'

/** A gateway that keeps its endpoints in memory, and does not answer when told so. */
export interface FakeGateway {
  readonly layer: Layer.Layer<Endpoints>
  readonly endpoints: Map<number, EndpointInput>
  down: boolean
  /** Fields in which a test's answer differs from that of a working endpoint. */
  found: Partial<EndpointTest>
}

/** A gateway of its own. It refuses the secret `wrong`. */
export function fakeGateway(): FakeGateway {
  const endpoints = new Map<number, EndpointInput>()
  let lastId = 0
  const gateway: FakeGateway = {
    endpoints,
    down: false,
    found: {},
    layer: Layer.sync(Endpoints, () =>
      Endpoints.of({
        create: (input) => answer(() => put(++lastId, input)),
        get: ({ id }) => answer(() => Effect.map(stored(id), (input) => shown(id, input))),
        update: ({ id, change }) =>
          answer(() => Effect.flatMap(stored(id), (input) => put(id, { ...input, ...change }))),
        remove: ({ id }) => answer(() => Effect.map(stored(id), () => void endpoints.delete(id))),
        test: (request) =>
          answer(() =>
            Effect.map('id' in request ? stored(request.id) : Effect.succeed(request), () => ({
              reachable: true,
              version: '4.2-3',
              code: null,
              error: null,
              presented_fingerprint: 'aa:bb',
              missing_privileges: [],
              acl_commands: [],
              token_warning: null,
              ...gateway.found,
            })),
          ),
      }),
    ),
  }
  const answer = <A, E>(response: () => Effect.Effect<A, E>): Effect.Effect<A, E | GatewayUnavailable> =>
    Effect.if(
      Effect.sync(() => gateway.down),
      {
        onTrue: () => Effect.fail(new GatewayUnavailable({ message: 'the gateway does not answer' })),
        onFalse: response,
      },
    )
  const put = (id: number, input: EndpointInput): Effect.Effect<Endpoint, EndpointRejected> => {
    if (Redacted.value(input.token_secret) === 'wrong') {
      return Effect.fail(new EndpointRejected({ errors: { token_secret: ['The server refused it.'] } }))
    }
    endpoints.set(id, input)
    return Effect.succeed(shown(id, input))
  }
  const stored = (id: number): Effect.Effect<EndpointInput, EndpointNotFound> => {
    const input = endpoints.get(id)
    return input === undefined ? Effect.fail(new EndpointNotFound({ id })) : Effect.succeed(input)
  }
  return gateway
}

function shown(id: number, { token_secret: _, ...rest }: EndpointInput): Endpoint {
  return { ...rest, id, enabled: true }
}
