import { SettingsStore, type StoreFailed } from '@netbox-pbs/core/ports'
import { Data, Effect, Option, type Redacted } from 'effect'

/** Where the gateway is, and the key it knows us by. */
export interface GatewayAt {
  readonly url: string
  readonly key: Redacted.Redacted<string>
}

/** The settings name a gateway but no key for it. The key of another gateway is not sent there. */
export class GatewayKeyMissing extends Data.TaggedError('GatewayKeyMissing')<{ readonly url: string }> {
  override get message(): string {
    return `the settings name the gateway ${this.url} but no key for it: enter its proxbox_api_key as well`
  }
}

/** The gateway that the settings name, else the one the process was started with. */
export const gatewayAddress = (
  started: GatewayAt,
): Effect.Effect<GatewayAt, StoreFailed | GatewayKeyMissing, SettingsStore> =>
  Effect.gen(function* () {
    const settings = yield* SettingsStore
    const { proxbox_api_url: url } = yield* settings.get()
    if (url === '') return started
    const key = yield* settings.proxboxApiKey()
    return yield* Option.match(key, {
      onNone: () => Effect.fail(new GatewayKeyMissing({ url })),
      onSome: (known) => Effect.succeed({ url, key: known }),
    })
  })
