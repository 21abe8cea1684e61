import { Context, Data, type Effect, type Option, type Redacted } from 'effect'
import { type SecretDestination, secretNeeded } from '../secret-destination.ts'
import type { SecretUnreadable } from './secret-box.ts'
import type { StoreFailed } from './store-failed.ts'

/** An endpoint in the gateway's own tables. */
export interface StoredEndpoint {
  readonly id: number
  readonly name: string
  readonly host: string
  readonly port: number
  readonly token_id: string
  /** Null: none pinned. */
  readonly fingerprint: string | null
  readonly verify_ssl: boolean
  readonly enabled: boolean
  /** 1 to 600. */
  readonly timeout_seconds: number
}

/** Another endpoint has this name. */
export class EndpointNameTaken extends Data.TaggedError('EndpointNameTaken')<{ readonly name: string }> {
  override get message(): string {
    return 'PBS endpoint name already exists'
  }
}

/**
 * A change of an endpoint would send its stored secret to another destination, or to a server with
 * weaker checks. `fields` are the changed fields.
 */
export class SecretNeeded extends Data.TaggedError('SecretNeeded')<{
  readonly fields: ReadonlyArray<keyof SecretDestination>
}> {
  override get message(): string {
    return secretNeeded(this.fields)
  }
}

/** The gateway's endpoints. Secrets are sealed and only `secret` returns one. */
export class EndpointStore extends Context.Tag('@netbox-pbs/core/EndpointStore')<
  EndpointStore,
  {
    readonly create: (
      endpoint: Omit<StoredEndpoint, 'id'> & { readonly token_secret: Redacted.Redacted<string> },
    ) => Effect.Effect<StoredEndpoint, StoreFailed | EndpointNameTaken>
    readonly list: (request: {
      readonly limit: number
      readonly offset: number
    }) => Effect.Effect<ReadonlyArray<StoredEndpoint>, StoreFailed>
    readonly get: (request: { readonly id: number }) => Effect.Effect<Option.Option<StoredEndpoint>, StoreFailed>
    /**
     * Fails with `SecretNeeded` as `fieldsThatNeedSecret` says, judged together with the change: no
     * other change comes in between.
     */
    readonly update: (request: {
      readonly id: number
      readonly change: Partial<Omit<StoredEndpoint, 'id'> & { readonly token_secret: Redacted.Redacted<string> }>
    }) => Effect.Effect<Option.Option<StoredEndpoint>, StoreFailed | EndpointNameTaken | SecretNeeded>
    /** False when no endpoint has that id. */
    readonly remove: (request: { readonly id: number }) => Effect.Effect<boolean, StoreFailed>
    readonly secret: (request: {
      readonly id: number
    }) => Effect.Effect<Option.Option<Redacted.Redacted<string>>, StoreFailed | SecretUnreadable>
  }
>() {}

/** API keys of the gateway, stored hashed. */
export class GatewayKeys extends Context.Tag('@netbox-pbs/core/GatewayKeys')<
  GatewayKeys,
  {
    readonly any: () => Effect.Effect<boolean, StoreFailed>
    /** Stores the key unless its hash is stored already. */
    readonly add: (key: { readonly hash: string; readonly label: string }) => Effect.Effect<void, StoreFailed>
    /** Stores the key only if it is the first; false: another key exists. */
    readonly addFirst: (key: { readonly hash: string; readonly label: string }) => Effect.Effect<boolean, StoreFailed>
    readonly known: (request: { readonly hash: string }) => Effect.Effect<boolean, StoreFailed>
  }
>() {}
