import { GatewayKeyNeeded, SecretBox, SettingsStore } from '@netbox-pbs/core/ports'
import { defaultSettings, Settings } from '@netbox-pbs/core/settings'
import { Effect, Layer, Option, Redacted } from 'effect'
import { type Kysely, sql } from 'kysely'
import { differing, logOther } from '../change-log/log-other.ts'
import { Database } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import { nextVersion, versionChanged } from '../tables/row-version.ts'

interface Row {
  readonly changed: Readonly<Record<string, unknown>>
  readonly proxbox_api_key: string
  readonly created: string
  readonly last_updated: string
}

const purpose = 'settings:proxbox_api_key'

/** The settings on their one row, the API key sealed. */
export const settingsLayer: Layer.Layer<SettingsStore, never, Database | SecretBox> = Layer.effect(
  SettingsStore,
  Effect.gen(function* () {
    const database = yield* Database
    const box = yield* SecretBox

    const read = Effect.gen(function* () {
      const { rows } = yield* database.query('reading the settings', (db) =>
        sql<Row>`select changed, proxbox_api_key, created, last_updated from settings`.execute(db),
      )
      const [row] = rows
      if (row === undefined) return yield* Effect.dieMessage('the settings have no row: the database is not migrated')
      return row
    })

    return SettingsStore.of({
      get: Effect.fn('SettingsStore.get')(function* () {
        const row = yield* read
        return {
          ...fromStored(row.changed),
          proxbox_api_key_configured: row.proxbox_api_key !== '',
          created: row.created,
          last_updated: row.last_updated,
        }
      }),
      update: Effect.fn('SettingsStore.update')(function* ({ proxbox_api_key, ...change }, { actor, versions } = {}) {
        const key = proxbox_api_key === undefined ? null : yield* sealed(box, proxbox_api_key)
        yield* database.transaction('changing the settings', async (trx) => {
          // Locked: no key may be stored between the look at the address and its change.
          const { rows } = await sql<
            Omit<Row, 'created'>
          >`select changed, proxbox_api_key, last_updated from settings for update`.execute(trx)
          const [before] = rows
          const outdated = versionChanged(before?.last_updated ?? '', versions)
          if (outdated !== null) return outdated
          const stored = before?.changed['proxbox_api_url'] ?? defaultSettings.proxbox_api_url
          const moves = ![undefined, '', stored].includes(change.proxbox_api_url)
          if (moves && key === null && before?.proxbox_api_key !== '') return new GatewayKeyNeeded()
          await sql`
            update settings set
              changed = changed || ${JSON.stringify(change)}::text::jsonb,
              proxbox_api_key = coalesce(${key}::text, proxbox_api_key),
              last_updated = ${nextVersion(sql`last_updated`)}`.execute(trx)
          const now = key === null ? {} : { proxbox_api_key: shownKey(key) }
          const was = fromStored(before?.changed ?? {})
          const changed = differing(
            { ...was, proxbox_api_key: shownKey(before?.proxbox_api_key ?? '') },
            { ...change, ...now },
          )
          // A key that is replaced by another looks the same before and after.
          const replaced = key !== null && key !== '' && before?.proxbox_api_key !== ''
          const entry = replaced
            ? {
                before: { ...changed?.before, proxbox_api_key: shownKey('set') },
                after: { ...changed?.after, proxbox_api_key: 'another' },
              }
            : changed
          if (entry === null) return
          const about = { action: 'update', model: 'settings', id: 1, title: 'Settings', by: actor } as const
          await logOther(trx, { ...about, ...entry })
        })
      }),
      proxboxApiKey: Effect.fn('SettingsStore.proxboxApiKey')(function* () {
        const { proxbox_api_key } = yield* read
        if (proxbox_api_key === '') return Option.none()
        // checkSecretKey has reported a wrong key at the start.
        return Option.some(yield* Effect.orDie(box.open({ sealed: proxbox_api_key, purpose })))
      }),
    })
  }),
)

/** A stored key as the change log records it: whether there is one. */
const shownKey = (key: string): string => (key === '' ? '' : 'set')

/** An empty key is stored as none. */
function sealed(box: typeof SecretBox.Service, key: Redacted.Redacted<string>): Effect.Effect<string> {
  return Redacted.value(key) === '' ? Effect.succeed('') : box.seal({ secret: key, purpose })
}

/** The stored settings over the defaults. A setting that this release no longer knows is left out. */
/** The settings as the transaction of `db` sees them. */
export async function settingsOf(db: Kysely<Tables>): Promise<Settings> {
  const { rows } = await sql<Pick<Row, 'changed'>>`select changed from settings`.execute(db)
  return fromStored(rows[0]?.changed ?? {})
}

function fromStored(changed: Readonly<Record<string, unknown>>): Settings {
  const known = Object.entries(changed).filter(([name]) => name in defaultSettings)
  return Settings.parse({ ...defaultSettings, ...Object.fromEntries(known) })
}
