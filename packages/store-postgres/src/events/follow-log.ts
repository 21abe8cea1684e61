import {
  type ChangeAction,
  type ConditionSet,
  type EventType,
  eventOfAction,
  type JsonValue,
  type ModelName,
  modelOfType,
  mostOpenDeliveries,
  readConditions,
} from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { PgBoss } from 'pg-boss'
import { horizon } from '../change-log/horizon.ts'
import type { Tables } from '../database/tables.ts'
import { type FollowingRule, makeDeliveries } from './make-deliveries.ts'
import { type RowEntry, rowEvents } from './row-events.ts'

/** Entries that one transaction makes deliveries of. */
const entriesAtOnce = 200

/** Entries that one transaction passes over because no rule is about them. */
const passedAtOnce = 50_000

/** A rule on rows, and the entry of the change log after which it is about them. */
interface LogRule extends FollowingRule {
  readonly since: number
}

/** A webhook whose position is behind the log. */
export interface WebhookBehind {
  readonly id: number
}

/**
 * The webhooks that have something to read: they have an enabled rule, are behind the log, and have fewer
 * open deliveries than one may have. The others wait; nothing is lost, since the log keeps it.
 */
export async function webhooksBehind(db: Kysely<Tables>): Promise<ReadonlyArray<WebhookBehind>> {
  const reached = await horizon(db)
  const { rows } = await sql<WebhookBehind>`
    select w.id from webhooks w
    where exists (
      select from event_rules r where r.webhook_id = w.id and r.enabled and greatest(w.position, r.since) < ${reached}::bigint
        and exists (select from jsonb_array_elements_text(r.event_types) as e (type) where starts_with(e.type, 'object_'))
    ) and (
      select count(*) from (select from deliveries d where d.webhook_id = w.id and d.state = 'pending' limit ${mostOpenDeliveries}) open
    ) < ${mostOpenDeliveries}
    order by w.position, w.id`.execute(db)
  return rows
}

/**
 * Makes the deliveries of the next entries of the log for one webhook, and moves its position, in one
 * transaction. A webhook that another worker follows at the moment is left to it. True: it may have
 * more to read.
 */
export async function followLog(
  step: { readonly trx: Kysely<Tables>; readonly boss: PgBoss },
  { id }: WebhookBehind,
): Promise<boolean> {
  const { trx } = step
  const { rows: locked } = await sql<{ position: number }>`
    select position from webhooks where id = ${id}::bigint for no key update skip locked`.execute(trx)
  const [webhook] = locked
  if (webhook === undefined) return false
  const rules = await logRules(trx, id)
  const reached = await horizon(trx)
  const from = Math.max(webhook.position, Math.min(...rules.map(({ since }) => since)))
  if (rules.length === 0 || from >= reached) return false
  const upTo = Math.min(reached, from + passedAtOnce)
  const entries = await readEntries(trx, { from, upTo, ...interestOf(rules) })
  const events = await rowEvents(trx, entries)
  await makeDeliveries(
    step,
    entries.map((entry) => ({
      events: events.get(entry) ?? [],
      place: String(entry.objectId ?? `server-${entry.serverId ?? 'all'}`),
      rules: rules.filter(({ since }) => entry.id > since),
    })),
  )
  const last = entries.length === entriesAtOnce ? (entries.at(-1)?.id ?? upTo) : upTo
  await sql`update webhooks set position = ${last}::bigint where id = ${id}::bigint`.execute(trx)
  return last < reached
}

/** The enabled rules of a webhook, oldest first. */
async function logRules(db: Kysely<Tables>, webhookId: number): Promise<ReadonlyArray<LogRule>> {
  return await enabledRules(db, sql`r.webhook_id = ${webhookId}::bigint`)
}

/** The enabled rules that a condition on `r` finds, oldest first. */
export async function enabledRules(
  db: Kysely<Tables>,
  condition: RawBuilder<unknown>,
): Promise<ReadonlyArray<LogRule>> {
  const { rows } = await sql<Omit<LogRule, 'conditions'> & { readonly conditions: JsonValue }>`
    select r.id, r.name, r.webhook_id as "webhookId", r.enabled, r.object_types, r.event_types, r.conditions, r.action_data, r.since
    from event_rules r where r.enabled and ${condition} order by r.id`.execute(db)
  return rows.flatMap(({ conditions, ...rule }) => {
    const read = readStored(conditions)
    return read === 'unreadable' ? [] : [{ ...rule, conditions: read }]
  })
}

/** Conditions were read when they were stored; those that only another release can read are satisfied by nothing. */
function readStored(conditions: JsonValue): ConditionSet | null | 'unreadable' {
  if (conditions === null) return null
  const read = readConditions(conditions)
  return read._tag === 'conditions' ? read.conditions : 'unreadable'
}

interface Interest {
  readonly models: ReadonlyArray<ModelName>
  readonly actions: ReadonlyArray<ChangeAction>
}

/** Which entries of the log some rules may be about. */
function interestOf(rules: ReadonlyArray<FollowingRule>): Interest {
  const types: ReadonlySet<EventType> = new Set(rules.flatMap(({ event_types }) => event_types))
  return {
    models: [...new Set(rules.flatMap(({ object_types }) => object_types.flatMap((type) => modelOfType(type) ?? [])))],
    actions: (['create', 'update', 'delete'] as const).filter((action) => types.has(eventOfAction[action])),
  }
}

/**
 * The first entries within the bounds that are of interest. Of several about one object in one request
 * only the last is read, which stands for all: a new object's update for its creation, too.
 */
async function readEntries(
  db: Kysely<Tables>,
  { from, upTo, models, actions }: Interest & { readonly from: number; readonly upTo: number },
): Promise<ReadonlyArray<RowEntry>> {
  const sameRequest = (alias: string, order: RawBuilder<unknown>) => sql`
    select from changes ${sql.ref(alias)} where ${sql.ref(`${alias}.model`)} = c.model and ${sql.ref(`${alias}.object_id`)} = c.object_id
      and ${sql.ref(`${alias}.request_id`)} = c.request_id and ${order}`
  const { rows } = await sql<RowEntry>`
    select c.id, c.time, c.action, c.model, c.object_id as "objectId", c.title, c.server_id as "serverId", c.request_id as "requestId",
      c.user_name as "user", c.before, c.after, c.counts
    from changes c
    where c.id > ${from}::bigint and c.id <= ${upTo}::bigint
      and (c.model = any(${models}::text[]) or (c.object_id is null and jsonb_exists_any(c.counts, ${models}::text[])))
      and (c.action = any(${actions}::text[]) or (${actions.includes('create')} and c.action = 'update'
        and exists (${sameRequest('f', sql`f.id < c.id and f.action = 'create'`)})))
      and not exists (${sameRequest('l', sql`l.id > c.id and l.id <= ${upTo}::bigint`)})
    order by c.id limit ${entriesAtOnce}`.execute(db)
  return rows
}
