import { type SecretBox, SecretUnreadable, SettingsStore } from '@netbox-pbs/core/ports'
import { defaultSettings } from '@netbox-pbs/core/settings'
import { settingsContract } from '@netbox-pbs/testing'
import { Effect, Either, Layer, ManagedRuntime, Redacted } from 'effect'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Database } from '../src/database/database.ts'
import { migrate } from '../src/migrations/migrate.ts'
import { checkSecretKey } from '../src/secret-box/secret-box.ts'
import { settingsLayer } from '../src/settings/settings-store.ts'
import { engines } from './engines.ts'
import { boxWith } from './secret-boxes.ts'

describe.each(engines)('SettingsStore on $engine', ({ empty }) => {
  const runtime = ManagedRuntime.make(settingsLayer.pipe(Layer.provideMerge(boxWith(1)), Layer.provideMerge(empty)))
  const run = <A, E>(effect: Effect.Effect<A, E, SettingsStore | SecretBox | Database>) => runtime.runPromise(effect)
  const settings = <A, E>(use: (settings: typeof SettingsStore.Service) => Effect.Effect<A, E>) =>
    run(Effect.flatMap(SettingsStore, use))
  const statement = (text: string) =>
    run(Effect.flatMap(Database, (database) => database.query('testing', (db) => sql.raw(text).execute(db))))

  beforeAll(() => run(migrate))
  beforeEach(() => statement("update settings set changed = '{}', proxbox_api_key = ''"))
  afterAll(() => runtime.dispose())

  const get = () => settings((s) => s.get())

  settingsContract({ run })

  test('keeps the key sealed', async () => {
    await settings((s) => s.update({ proxbox_api_key: Redacted.make('pxk_secret') }))
    expect(JSON.stringify((await statement('select * from settings')).rows)).not.toContain('pxk_secret')
  })

  test('sends the key to no other address, also when address and key come at once', async () => {
    const change = (values: Parameters<typeof SettingsStore.Service.update>[0]) =>
      settings((s) => Effect.either(s.update(values)))
    const known = { proxbox_api_key: Redacted.make('pxk_secret') }
    const at = (proxbox_api_url: string) => ({ proxbox_api_url })
    for (let turn = 0; turn < 20; turn++) {
      await statement(`update settings set changed = '{"proxbox_api_url": "http://a"}', proxbox_api_key = ''`)
      await Promise.all([change({ ...at('http://b'), ...known }), change(at('http://thief'))])
      const { proxbox_api_url, proxbox_api_key_configured } = await get()
      expect([proxbox_api_url, proxbox_api_key_configured]).toEqual(['http://b', true])
    }
  })

  test('leaves out a setting of a release that knew more', async () => {
    await statement(`update settings set changed = '{"gone": 1, "guard_min_rows": 3}'`)
    expect(await get()).toEqual({
      ...defaultSettings,
      guard_min_rows: 3,
      proxbox_api_key_configured: false,
      created: expect.any(String),
      last_updated: expect.any(String),
    })
  })

  test('checkSecretKey tells another key than the first, also when many start at once', async () => {
    const check = (fill: number) => run(Effect.either(checkSecretKey).pipe(Effect.provide(Layer.fresh(boxWith(fill)))))
    expect(await Promise.all([check(1), check(1), check(1)])).toEqual([Either.void, Either.void, Either.void])
    expect(await check(2)).toEqual(Either.left(new SecretUnreadable({ keyName: 'NETBOX_PBS_SECRET_KEY' })))
    expect(await check(1)).toEqual(Either.void)
  })

  test('the change log tells what was changed, by whom, and never a key', async () => {
    await statement('delete from changes')
    const actor = { user: 'ada', requestId: '5c0f2f7e-0000-4000-8000-000000000001' }
    const by = (values: Parameters<typeof SettingsStore.Service.update>[0]) =>
      settings((s) => s.update(values, { actor }))
    await by({ guard_min_rows: 7, branching_enabled: false })
    await by({ guard_min_rows: 7 })
    await by({ proxbox_api_key: Redacted.make('pxk_first') })
    await by({ proxbox_api_key: Redacted.make('pxk_second'), run_retention_days: 8 })
    await by({ proxbox_api_key: Redacted.make('') })
    await by({ proxbox_api_key: Redacted.make('') })
    await settings((s) => s.update({ guard_min_rows: 9 }))
    const { rows } = await statement(
      `select action, model, object_id, title, user_name, request_id, before, after from changes order by id`,
    )
    const about = { action: 'update', model: 'settings', object_id: 1, title: 'Settings' }
    const ofAda = { ...about, user_name: 'ada', request_id: actor.requestId }
    expect(rows).toEqual([
      {
        ...ofAda,
        before: { guard_min_rows: defaultSettings.guard_min_rows },
        after: { guard_min_rows: 7 },
      },
      { ...ofAda, before: { proxbox_api_key: '' }, after: { proxbox_api_key: 'set' } },
      {
        ...ofAda,
        before: { proxbox_api_key: 'set', run_retention_days: defaultSettings.run_retention_days },
        after: { proxbox_api_key: 'another', run_retention_days: 8 },
      },
      { ...ofAda, before: { proxbox_api_key: 'set' }, after: { proxbox_api_key: '' } },
      {
        ...about,
        user_name: 'system',
        request_id: expect.any(String),
        before: { guard_min_rows: 7 },
        after: { guard_min_rows: 9 },
      },
    ])
  })

  test('a change that is refused is in no log', async () => {
    await statement('delete from changes')
    await settings((s) => Effect.flip(s.update({ guard_min_rows: 7 }, { versions: ['other'] })))
    expect((await statement('select * from changes')).rows).toEqual([])
  })
})
