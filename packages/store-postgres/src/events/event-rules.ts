import type { EventRule, LoggedValues } from '@netbox-pbs/core'
import { EventRules, WebhookNotFound } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'
import { type Kysely, sql } from 'kysely'
import { reachedChange } from '../change-log/horizon.ts'
import { differing, logOther } from '../change-log/log-other.ts'
import { Database } from '../database/database.ts'
import { jsonb } from '../database/statement-values.ts'
import type { Tables } from '../database/tables.ts'
import { nextVersion, versionChanged } from '../tables/row-version.ts'
import { namedConditions, namedPage } from './named-list.ts'
import { orNameTaken } from './webhooks.ts'

const select = sql`
  select t.id, t.name, t.description, t.enabled, t.object_types, t.event_types, t.conditions, t.webhook_id as "webhookId",
    w.name as "webhookName", t.action_data, t.created, t.last_updated
  from event_rules t join webhooks w on w.id = t.webhook_id`

/** Event rules. */
export const eventRulesLayer: Layer.Layer<EventRules, never, Database> = Layer.effect(
  EventRules,
  Effect.map(Database, (database) =>
    EventRules.of({
      list: Effect.fn('EventRules.list')(({ enabled, webhookIds, ...request }) =>
        database.query('reading the event rules', (db) =>
          namedPage<EventRule>(
            db,
            select,
            [
              ...namedConditions(request),
              ...(enabled === undefined ? [] : [sql`t.enabled = ${enabled}::boolean`]),
              ...(webhookIds === undefined ? [] : [sql`t.webhook_id = any(${webhookIds}::bigint[])`]),
            ],
            request,
          ),
        ),
      ),
      get: Effect.fn('EventRules.get')(({ id }) =>
        database.query('reading an event rule', async (db) => Option.fromNullable(await ruleOf(db, id))),
      ),
      create: Effect.fn('EventRules.create')(({ values, actor }) =>
        database.transaction('making an event rule', async (trx) => {
          if (!(await keepWebhook(trx, values.webhookId))) return new WebhookNotFound({ id: values.webhookId })
          const id = await orNameTaken(values.name, async () => {
            const { rows } = await sql<{ id: number }>`
              insert into event_rules (name, description, enabled, object_types, event_types, conditions, webhook_id, action_data, since)
              values (${values.name}, ${values.description}, ${values.enabled}::boolean, ${jsonb(values.object_types)}, ${jsonb(values.event_types)},
                ${jsonOrNull(values.conditions)}, ${values.webhookId}::bigint, ${jsonOrNull(values.action_data)}, ${reachedChange})
              returning id`.execute(trx)
            return rows[0]?.id ?? 0
          })
          if (id instanceof Error) return id
          const made = await ruleOf(trx, id)
          if (made === undefined) throw new Error('an inserted event rule was not returned')
          await logOther(trx, { ...about(made), action: 'create', before: null, after: logged(made), by: actor })
          return made
        }),
      ),
      update: Effect.fn('EventRules.update')(({ id, change, actor, versions }) =>
        database.transaction('changing an event rule', async (trx) => {
          const before = await ruleOf(trx, id, true)
          if (before === undefined) return Option.none()
          const outdated = versionChanged(before.last_updated, versions)
          if (outdated !== null) return outdated
          const values = { ...before, ...change }
          if (!(await keepWebhook(trx, values.webhookId))) return new WebhookNotFound({ id: values.webhookId })
          const written = await orNameTaken(values.name, () =>
            sql`
              update event_rules set name = ${values.name}, description = ${values.description}, enabled = ${values.enabled}::boolean,
                object_types = ${jsonb(values.object_types)}, event_types = ${jsonb(values.event_types)},
                conditions = ${jsonOrNull(values.conditions)}, webhook_id = ${values.webhookId}::bigint,
                action_data = ${jsonOrNull(values.action_data)}, last_updated = ${nextVersion(sql`last_updated`)},
                since = case when ${values.enabled}::boolean and not enabled then ${reachedChange} else since end
              where id = ${id}::bigint`.execute(trx),
          )
          if (written instanceof Error) return written
          const after = await ruleOf(trx, id)
          if (after === undefined) throw new Error('an updated event rule was not returned')
          const changed = differing(logged(before), logged(after))
          if (changed !== null) await logOther(trx, { ...about(after), action: 'update', ...changed, by: actor })
          return Option.some(after)
        }),
      ),
      remove: Effect.fn('EventRules.remove')(({ id, actor, versions }) =>
        database.transaction('removing an event rule', async (trx) => {
          const before = await ruleOf(trx, id, true)
          if (before === undefined) return false
          const outdated = versionChanged(before.last_updated, versions)
          if (outdated !== null) return outdated
          await sql`delete from event_rules where id = ${id}::bigint`.execute(trx)
          await logOther(trx, { ...about(before), action: 'delete', before: logged(before), after: null, by: actor })
          return true
        }),
      ),
    }),
  ),
)

async function ruleOf(db: Kysely<Tables>, id: number, lock = false): Promise<EventRule | undefined> {
  const locked = lock ? sql`for update of t` : sql``
  const { rows } = await sql<EventRule>`${select} where t.id = ${id}::bigint ${locked}`.execute(db)
  return rows[0]
}

/** Whether there is such a webhook; it is not removed before the end of the transaction. */
async function keepWebhook(trx: Kysely<Tables>, id: number): Promise<boolean> {
  const { rows } = await sql`select from webhooks where id = ${id}::bigint for key share`.execute(trx)
  return rows.length > 0
}

const jsonOrNull = (value: unknown) => (value === null ? sql`null` : jsonb(value))

const about = ({ id, name }: EventRule) => ({ model: 'event_rule', id, title: name }) as const

const logged = ({
  id: _,
  created: __,
  last_updated: ___,
  webhookId,
  webhookName,
  ...values
}: EventRule): LoggedValues => ({
  ...values,
  webhook: webhookId,
})
