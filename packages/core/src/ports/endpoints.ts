import { Context, Data, type Effect, type Redacted } from 'effect'
import type { SourceErrorCode } from './source.ts'

/** The connection of a server: its address and the credentials to read it with. */
export interface EndpointInput {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly token_id: string
  readonly token_secret: Redacted.Redacted<string>
  /** Empty: none pinned. */
  readonly fingerprint: string
  readonly verify_ssl: boolean
  /** 1 to 600: how long the server may be silent. */
  readonly timeout_seconds: number
}

/** An endpoint as the gateway shows it: never with its secret. */
export interface Endpoint extends Omit<EndpointInput, 'token_secret'> {
  readonly id: number
  readonly enabled: boolean
}

/** The outcome of a test. `error` names the failure and the next step; null: the test passed. */
export interface EndpointTest {
  readonly reachable: boolean
  readonly version: string | null
  /** Of `error`; null when all is well, or the gateway gives none. */
  readonly code: SourceErrorCode | null
  readonly error: string | null
  readonly presented_fingerprint: string | null
  /** Like `Remote.Audit on /remote`; without an `error` they only make the inventory shorter. */
  readonly missing_privileges: ReadonlyArray<string>
  /** Commands to run on the server to grant them. */
  readonly acl_commands: ReadonlyArray<string>
  /**
   * A sentence on a token that may do more than an inventory needs, with the cure. Empty: it may not;
   * null: the source does not know.
   */
  readonly token_warning: string | null
}

/** The gateway does not answer, or the response is not a gateway's. */
export class GatewayUnavailable extends Data.TaggedError('GatewayUnavailable')<{
  readonly message: string
  readonly cause?: unknown
}> {}

/** The gateway refused an endpoint: one sentence per field, in our field names. */
export class EndpointRejected extends Data.TaggedError('EndpointRejected')<{
  readonly errors: Readonly<Record<string, ReadonlyArray<string>>>
}> {
  override get message(): string {
    return Object.entries(this.errors)
      .map(([field, texts]) => `${field}: ${texts.join(' ')}`)
      .join('; ')
  }
}

/** No endpoint of the gateway has that id. */
export class EndpointNotFound extends Data.TaggedError('EndpointNotFound')<{ readonly id: number }> {
  override get message(): string {
    return `the gateway has no endpoint ${this.id}`
  }
}

/** The endpoint routes of the gateway. */
export class Endpoints extends Context.Tag('@netbox-pbs/core/Endpoints')<
  Endpoints,
  {
    readonly create: (endpoint: EndpointInput) => Effect.Effect<Endpoint, GatewayUnavailable | EndpointRejected>
    readonly get: (request: { readonly id: number }) => Effect.Effect<Endpoint, GatewayUnavailable | EndpointNotFound>
    readonly update: (request: {
      readonly id: number
      readonly change: Partial<EndpointInput>
    }) => Effect.Effect<Endpoint, GatewayUnavailable | EndpointRejected | EndpointNotFound>
    readonly remove: (request: { readonly id: number }) => Effect.Effect<void, GatewayUnavailable | EndpointNotFound>
    readonly test: (
      request: { readonly id: number } | EndpointInput,
    ) => Effect.Effect<EndpointTest, GatewayUnavailable | EndpointRejected | EndpointNotFound>
  }
>() {}
