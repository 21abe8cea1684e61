import type { LoggedValues, Webhook, WebhookValues } from '@netbox-pbs/core'
import { EventNameTaken, SecretBox, Webhooks } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option, Redacted } from 'effect'
import { type Kysely, sql } from 'kysely'
import { reachedChange } from '../change-log/horizon.ts'
import { differing, logOther } from '../change-log/log-other.ts'
import { Database } from '../database/database.ts'
import { isUniqueViolation } from '../database/store-errors.ts'
import type { Tables } from '../database/tables.ts'
import { nextVersion, versionChanged } from '../tables/row-version.ts'
import { namedConditions, namedPage } from './named-list.ts'

/** A webhook's secret is authenticated with this purpose, and sealed by the key of the inventory's secrets. */
export const secretPurpose = 'webhook:secret'

interface Row extends Omit<Webhook, 'secret_configured'> {
  readonly secret: string
}

const select = sql`
  select t.id, t.name, t.description, t.payload_url, t.http_method, t.http_content_type, t.additional_headers, t.secret,
    t.ssl_verification, t.created, t.last_updated
  from webhooks t`

/** Webhooks, their secrets sealed. */
export const webhooksLayer: Layer.Layer<Webhooks, never, Database | SecretBox> = Layer.effect(
  Webhooks,
  Effect.gen(function* () {
    const database = yield* Database
    const box = yield* SecretBox
    const sealed = (secret: Redacted.Redacted<string>): Effect.Effect<string> =>
      Redacted.value(secret) === '' ? Effect.succeed('') : box.seal({ secret, purpose: secretPurpose })

    return Webhooks.of({
      list: Effect.fn('Webhooks.list')((request) =>
        database.query('reading the webhooks', async (db) => {
          const { count, rows } = await namedPage<Row>(db, select, namedConditions(request), request)
          return { count, rows: rows.map(webhookOf) }
        }),
      ),
      get: Effect.fn('Webhooks.get')(({ id }) =>
        database.query('reading a webhook', async (db) =>
          Option.map(Option.fromNullable(await rowOf(db, id)), webhookOf),
        ),
      ),
      create: Effect.fn('Webhooks.create')(function* ({ values, secret, actor }) {
        const secretText = yield* sealed(secret)
        return yield* database.transaction('making a webhook', async (trx) => {
          const id = await orNameTaken(values.name, async () => {
            const { rows } = await sql<{ id: number }>`
              insert into webhooks (name, description, payload_url, http_method, http_content_type, additional_headers, secret, ssl_verification, position)
              values (${values.name}, ${values.description}, ${values.payload_url}, ${values.http_method}, ${values.http_content_type},
                ${values.additional_headers}, ${secretText}, ${values.ssl_verification}::boolean, ${reachedChange})
              returning id`.execute(trx)
            return rows[0]?.id ?? 0
          })
          if (id instanceof Error) return id
          const made = await rowOf(trx, id)
          if (made === undefined) throw new Error('an inserted webhook was not returned')
          await logOther(trx, { ...about(made), action: 'create', before: null, after: logged(made), by: actor })
          return webhookOf(made)
        })
      }),
      update: Effect.fn('Webhooks.update')(function* ({ id, change, secret, actor, versions }) {
        const secretText = secret === undefined ? null : yield* sealed(secret)
        return yield* database.transaction('changing a webhook', async (trx) => {
          const before = await rowOf(trx, id, true)
          if (before === undefined) return Option.none()
          const outdated = versionChanged(before.last_updated, versions)
          if (outdated !== null) return outdated
          const values = { ...before, ...change }
          const written = await orNameTaken(values.name, () =>
            sql`
              update webhooks set name = ${values.name}, description = ${values.description}, payload_url = ${values.payload_url},
                http_method = ${values.http_method}, http_content_type = ${values.http_content_type},
                additional_headers = ${values.additional_headers}, secret = coalesce(${secretText}::text, secret),
                ssl_verification = ${values.ssl_verification}::boolean, last_updated = ${nextVersion(sql`last_updated`)}
              where id = ${id}::bigint`.execute(trx),
          )
          if (written instanceof Error) return written
          const after = await rowOf(trx, id)
          if (after === undefined) throw new Error('an updated webhook was not returned')
          const changed = differing(logged(before), loggedAfter(before, after))
          if (changed !== null) await logOther(trx, { ...about(after), action: 'update', ...changed, by: actor })
          return Option.some(webhookOf(after))
        })
      }),
      remove: Effect.fn('Webhooks.remove')(function* ({ id, actor, versions }) {
        return yield* database.transaction('removing a webhook', async (trx) => {
          const before = await rowOf(trx, id, true)
          if (before === undefined) return false
          const outdated = versionChanged(before.last_updated, versions)
          if (outdated !== null) return outdated
          await sql`delete from webhooks where id = ${id}::bigint`.execute(trx)
          await logOther(trx, { ...about(before), action: 'delete', before: logged(before), after: null, by: actor })
          return true
        })
      }),
    })
  }),
)

async function rowOf(db: Kysely<Tables>, id: number, lock = false): Promise<Row | undefined> {
  const { rows } = await sql<Row>`${select} where t.id = ${id}::bigint ${lock ? sql`for update` : sql``}`.execute(db)
  return rows[0]
}

/** Runs a statement that writes a name; an error when another record has it. */
export async function orNameTaken<A>(name: string, write: () => Promise<A>): Promise<A | EventNameTaken> {
  try {
    return await write()
  } catch (cause) {
    if (isUniqueViolation(cause)) return new EventNameTaken({ name })
    throw cause
  }
}

const webhookOf = ({ secret, ...webhook }: Row): Webhook => ({ ...webhook, secret_configured: secret !== '' })

const about = ({ id, name }: Row) => ({ model: 'webhook', id, title: name }) as const

/**
 * A webhook as the change log records it: of its secret only whether there is one, and of its headers
 * the names, since their values are often secret too.
 */
function logged(row: Row): LoggedValues {
  const values: { [K in keyof WebhookValues]: WebhookValues[K] } = {
    name: row.name,
    description: row.description,
    payload_url: row.payload_url,
    http_method: row.http_method,
    http_content_type: row.http_content_type,
    additional_headers: row.additional_headers.replaceAll(/:.*$/gm, ': …'),
    ssl_verification: row.ssl_verification,
  }
  return { ...values, secret: row.secret === '' ? '' : 'set' }
}

/** The same after a change, which also tells of a hidden value that was replaced by another. */
function loggedAfter(before: Row, after: Row): LoggedValues {
  const [was, is] = [logged(before), logged(after)]
  const replaced = (['secret', 'additional_headers'] as const).filter(
    (name) => before[name] !== after[name] && was[name] === is[name],
  )
  return { ...is, ...Object.fromEntries(replaced.map((name) => [name, `${is[name]} (another)`])) }
}
