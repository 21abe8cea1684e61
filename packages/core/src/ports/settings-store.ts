import { Context, type Effect, type Option, type Redacted } from 'effect'
import type { Settings } from '../settings.ts'
import type { StoreFailed } from './store-failed.ts'

/** The one row of settings. */
export class SettingsStore extends Context.Tag('@netbox-pbs/core/SettingsStore')<
  SettingsStore,
  {
    readonly get: () => Effect.Effect<
      Settings & {
        readonly proxbox_api_key_configured: boolean
        readonly created: string
        readonly last_updated: string
      },
      StoreFailed
    >
    /** Changes the named fields; an empty key forgets the stored one. */
    readonly update: (
      change: Partial<Settings> & { readonly proxbox_api_key?: Redacted.Redacted<string> },
    ) => Effect.Effect<void, StoreFailed>
    /** The gateway's API key, decrypted; only for calls to the gateway. */
    readonly proxboxApiKey: () => Effect.Effect<Option.Option<Redacted.Redacted<string>>, StoreFailed>
  }
>() {}
