import { GatewayKeyNeeded, SettingsStore } from '@netbox-pbs/core/ports'
import { defaultSettings } from '@netbox-pbs/core/settings'
import { Effect, Either, Option, Redacted } from 'effect'
import { expect, test } from 'vitest'

/** Settings under test. Before each test they are those of a new system. */
export interface SettingsUnderTest {
  readonly run: <A, E>(effect: Effect.Effect<A, E, SettingsStore>) => Promise<A>
}

type Change = Parameters<typeof SettingsStore.Service.update>[0]

/** The contract of `SettingsStore`, without versions and the change log, which are the store's. */
export const settingsContract = ({ run }: SettingsUnderTest): void => {
  const settings = <A, E>(use: (settings: typeof SettingsStore.Service) => Effect.Effect<A, E>) =>
    run(Effect.flatMap(SettingsStore, use))
  const get = () => settings((s) => s.get())
  const key = async () => Option.map(await settings((s) => s.proxboxApiKey()), Redacted.value)
  const change = (values: Change) => settings((s) => Effect.either(s.update(values)))

  test('a new system has the defaults', async () => {
    expect(await get()).toEqual({
      ...defaultSettings,
      proxbox_api_key_configured: false,
      created: expect.stringMatching(/Z$/),
      last_updated: expect.stringMatching(/Z$/),
    })
    expect(await key()).toEqual(Option.none())
  })

  test('changes the named fields only, and says when', async () => {
    const before = await get()
    await change({ guard_max_share: 0.5, sync_schedule: '0 3 * * *' })
    await change({ branching_enabled: true, guard_max_share: 0.25 })
    const after = await get()
    expect(after).toEqual({
      ...{ ...before, guard_max_share: 0.25, sync_schedule: '0 3 * * *', branching_enabled: true },
      last_updated: expect.any(String),
    })
    expect(after.last_updated > before.last_updated).toBe(true)
  })

  test('keeps changes made at once', async () => {
    await Promise.all([
      change({ guard_min_rows: 7 }),
      change({ run_retention_days: 8 }),
      change({ proxbox_api_key: Redacted.make('k') }),
    ])
    expect(await get()).toMatchObject({ guard_min_rows: 7, run_retention_days: 8, proxbox_api_key_configured: true })
  })

  test('keeps the key until it is emptied, and shows it to calls of the gateway only', async () => {
    await change({ proxbox_api_key: Redacted.make('pxk_secret') })
    await change({ guard_min_rows: 9 })
    expect(await key()).toEqual(Option.some('pxk_secret'))
    expect(JSON.stringify(await get())).not.toContain('pxk_secret')
    await change({ proxbox_api_key: Redacted.make('') })
    expect(await key()).toEqual(Option.none())
    expect(await get()).toMatchObject({ proxbox_api_key_configured: false, guard_min_rows: 9 })
  })

  test('sends the key to no other address than the one that it was given for', async () => {
    const at = (proxbox_api_url: string) => ({ proxbox_api_url })
    const needed = Either.left(new GatewayKeyNeeded())
    expect(await change(at('http://a'))).toEqual(Either.void)
    expect(await change({ ...at('http://b'), proxbox_api_key: Redacted.make('pxk_secret') })).toEqual(Either.void)
    expect(await change(at('http://b'))).toEqual(Either.void)
    expect(await change({ ...at('http://thief'), guard_min_rows: 9 })).toEqual(needed)
    expect(await get()).toMatchObject({ ...at('http://b'), guard_min_rows: 50 })
    // Neither by a detour over none.
    expect(await change(at(''))).toEqual(Either.void)
    expect(await change(at('http://thief'))).toEqual(needed)
    expect(await change({ ...at('http://thief'), proxbox_api_key: Redacted.make('') })).toEqual(Either.void)
    expect(await key()).toEqual(Option.none())
  })
}
