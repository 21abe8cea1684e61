import { SettingsStore, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect, Option, type Redacted } from 'effect'

/** Where the gateway is, and the key it knows us by. */
export interface GatewayAt {
  readonly url: string
  readonly key: Redacted.Redacted<string>
}

/**
 * The gateway that the settings name, else the one the process was started with. Settings without a key take the process's own, so that an
 * address can be changed without entering the key again.
 */
export const gatewayAddress = (started: GatewayAt): Effect.Effect<GatewayAt, StoreFailed, SettingsStore> =>
  Effect.gen(function* () {
    const settings = yield* SettingsStore
    const { proxbox_api_url } = yield* settings.get()
    const key = yield* settings.proxboxApiKey()
    return proxbox_api_url === '' ? started : { url: proxbox_api_url, key: Option.getOrElse(key, () => started.key) }
  })
