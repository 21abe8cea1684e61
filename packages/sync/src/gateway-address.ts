import { SettingsStore, type StoreFailed } from '@netbox-pbs/core/ports'
import { Data, Effect, Option, type Redacted } from 'effect'

/** Where the gateway is, and the key it knows us by. */
export interface GatewayAddress {
  readonly url: string
  readonly key: Redacted.Redacted<string>
}

/** The address or the key of the gateway is not set. */
export class GatewayUnknown extends Data.TaggedError('GatewayUnknown')<{ readonly reason: 'no_address' | 'no_key' }> {
  override get message(): string {
    return {
      no_address:
        'the gateway has no address: set proxbox_api_url and proxbox_api_key in the settings, or NETBOX_PBS_GATEWAY_URL and NETBOX_PBS_GATEWAY_KEY',
      no_key: 'the settings name a gateway without its key: set proxbox_api_key there',
    }[this.reason]
  }
}

/**
 * The gateway as the settings say, now; where they name none, `otherwise`. The key of the one is
 * never sent to the address of the other.
 */
export const gatewayAddress = Effect.fn('sync.gatewayAddress')(function* (
  otherwise: GatewayAddress | null,
): Effect.fn.Return<GatewayAddress, GatewayUnknown | StoreFailed, SettingsStore> {
  const store = yield* SettingsStore
  const { proxbox_api_url: url } = yield* store.get()
  if (url === '') return otherwise ?? (yield* new GatewayUnknown({ reason: 'no_address' }))
  const key = yield* store.proxboxApiKey()
  return Option.isSome(key) ? { url, key: key.value } : yield* new GatewayUnknown({ reason: 'no_key' })
})
