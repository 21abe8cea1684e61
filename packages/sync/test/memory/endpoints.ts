import { fieldsThatNeedSecret } from '@netbox-pbs/core'
import {
  type Endpoint,
  EndpointNotFound,
  EndpointRejected,
  Endpoints,
  type EndpointTest,
  GatewayUnavailable,
} from '@netbox-pbs/core/ports'
import { Effect, Layer } from 'effect'

/** A gateway in memory, that can be down or refuse. */
export class MemoryGateway {
  readonly endpoints = new Map<number, Endpoint>()
  /** Secrets by endpoint, as a test may see them. */
  readonly secrets = new Map<number, unknown>()
  mode: 'up' | 'down' | 'refuses' = 'up'
  /** Fields in which the answer of a test differs from that of a working endpoint. */
  tested: Partial<EndpointTest> = {}
  /** Runs before each call, so that a test can look at main while the gateway is asked. */
  onCall: () => void = () => undefined
  #nextId = 1

  readonly layer = Layer.succeed(Endpoints, {
    create: ({ token_secret, ...endpoint }) =>
      Effect.map(Effect.zipRight(this.#answer, this.#accept(endpoint)), () => {
        const id = this.#nextId++
        this.endpoints.set(id, { ...endpoint, id, enabled: true })
        this.secrets.set(id, token_secret)
        return { ...endpoint, id, enabled: true }
      }),
    get: ({ id }) => Effect.zipRight(this.#reachable, this.#find(id)),
    update: ({ id, change: { token_secret, ...change } }) =>
      Effect.zipRight(this.#answer, this.#find(id)).pipe(
        Effect.tap((endpoint) => this.#accept({ ...endpoint, ...change })),
        Effect.tap((endpoint) =>
          token_secret === undefined && fieldsThatNeedSecret(endpoint, { ...endpoint, ...change }).length > 0
            ? new EndpointRejected({ errors: { token_secret: ['The stored secret is sent to no other host.'] } })
            : Effect.void,
        ),
        Effect.map((endpoint) => {
          const updated = { ...endpoint, ...change }
          this.endpoints.set(id, updated)
          if (token_secret !== undefined) this.secrets.set(id, token_secret)
          return updated
        }),
      ),
    remove: ({ id }) =>
      Effect.zipRight(this.#reachable, this.#find(id)).pipe(
        Effect.map(() => this.endpoints.delete(id)),
        Effect.asVoid,
      ),
    test: (request) =>
      Effect.zipRight(this.#reachable, 'id' in request ? Effect.asVoid(this.#find(request.id)) : Effect.void).pipe(
        Effect.map(() => ({
          reachable: true,
          version: '4.2',
          code: null,
          error: null,
          presented_fingerprint: null,
          missing_privileges: [],
          acl_commands: [],
          token_warning: null,
          ...this.tested,
        })),
      ),
  })

  get #reachable(): Effect.Effect<void, GatewayUnavailable> {
    return Effect.suspend(() => {
      this.onCall()
      return this.mode === 'down' ? new GatewayUnavailable({ message: 'the gateway does not answer' }) : Effect.void
    })
  }

  get #answer(): Effect.Effect<void, GatewayUnavailable | EndpointRejected> {
    return Effect.zipRight(
      this.#reachable,
      Effect.suspend(() =>
        this.mode === 'refuses' ? new EndpointRejected({ errors: { host: ['Not a host.'] } }) : Effect.void,
      ),
    )
  }

  /** Refuses a name that another endpoint has, and a host that is none. */
  #accept({ name, host, id }: { readonly name: string; readonly host: string; readonly id?: number }) {
    return Effect.suspend((): Effect.Effect<void, EndpointRejected> => {
      if (host.includes('/')) return new EndpointRejected({ errors: { host: ['Not a host.'] } })
      const taken = [...this.endpoints.values()].some((other) => other.name === name && other.id !== id)
      return taken ? new EndpointRejected({ errors: { name: ['Taken.'] } }) : Effect.void
    })
  }

  #find(id: number): Effect.Effect<Endpoint, EndpointNotFound> {
    return Effect.suspend(() => {
      const endpoint = this.endpoints.get(id)
      return endpoint === undefined ? new EndpointNotFound({ id }) : Effect.succeed(endpoint)
    })
  }
}
