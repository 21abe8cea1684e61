import { GatewayKeyNeeded, SettingsStore, type StoreFailed } from '@netbox-pbs/core/ports'
import { defaultSettings } from '@netbox-pbs/core/settings'
import { Effect, Layer, Option, Redacted } from 'effect'
import type { World } from './world.ts'

/** `SettingsStore` on a world. Versions are the store's: no sync asks for one. */
export class MemorySettings {
  readonly #world: World
  /** The gateway's key; empty: none. */
  #key = ''
  #changes = 0
  /** Why the settings cannot be read. */
  failure: Option.Option<StoreFailed> = Option.none()

  constructor(world: World) {
    this.#world = world
  }

  /** Back to those of a new system. */
  reset(): void {
    this.#world.settings = defaultSettings
    this.#key = ''
  }

  readonly layer = Layer.succeed(SettingsStore, {
    get: () =>
      Effect.suspend(() =>
        Option.isSome(this.failure)
          ? this.failure.value
          : Effect.succeed({
              ...this.#world.settings,
              proxbox_api_key_configured: this.#key !== '',
              created: '2026-01-01T00:00:00Z',
              last_updated: `2026-01-01T00:00:00.${String(this.#changes).padStart(6, '0')}Z`,
            }),
      ),
    update: ({ proxbox_api_key, ...change }, { versions } = {}) =>
      Effect.suspend((): Effect.Effect<void, GatewayKeyNeeded> => {
        if (versions !== undefined) return Effect.dieMessage('the fake settings have no versions')
        const { proxbox_api_url: stored } = this.#world.settings
        const moves = ![undefined, '', defaultSettings.proxbox_api_url, stored].includes(change.proxbox_api_url)
        if (moves && proxbox_api_key === undefined && this.#key !== '') return new GatewayKeyNeeded()
        if (proxbox_api_key !== undefined) this.#key = Redacted.value(proxbox_api_key)
        this.#world.settings = { ...this.#world.settings, ...change }
        this.#changes += 1
        return Effect.void
      }),
    proxboxApiKey: () => Effect.sync(() => (this.#key === '' ? Option.none() : Option.some(Redacted.make(this.#key)))),
  })
}
