import {
  apiRoot,
  coalesced,
  eventOfAction,
  type JsonValue,
  type LoggedChange,
  type LoggedValues,
  type ModelName,
  parsePresentation,
  type RaisedEvent,
  type Row,
  registry,
  rowUrl,
  serveRow,
  valuesAfter,
} from '@netbox-pbs/core'
import { type Kysely, sql } from 'kysely'
import { loggedNames } from '../change-log/append-changes.ts'
import { namingOf } from '../change-log/definition-names.ts'
import type { Tables } from '../database/tables.ts'
import { attachedTo } from '../definitions/model-fields.ts'
import { listFrom, servedColumns } from '../lists/list-columns.ts'

/** An entry of the change log about rows of a model. */
export interface RowEntry
  extends Pick<
    LoggedChange,
    'id' | 'time' | 'action' | 'title' | 'serverId' | 'requestId' | 'user' | 'before' | 'after' | 'counts'
  > {
  readonly model: ModelName
  /** Null: the entry sums up the rows that a run or a merge created in one scope. */
  readonly objectId: number | null
}

/** The links of a payload have no host: it is made far from any request. */
const presentation = { base: '', presentation: parsePresentation(new URLSearchParams()) }

/**
 * The events of entries, in their order. A row is told as it was after the entry, from its present
 * values and the later entries; what the log does not have (measurements and counters) is of now, and null
 * when the row is gone. A summary gives an event for each model that it counts, the scope's own first.
 */
export async function rowEvents(
  db: Kysely<Tables>,
  entries: ReadonlyArray<RowEntry>,
): Promise<ReadonlyMap<RowEntry, ReadonlyArray<RaisedEvent>>> {
  const ids = entries.filter(({ objectId }) => objectId !== null).map(({ id }) => id)
  const earlier = await neighbours(db, ids, 'earlier')
  const later = await neighbours(db, ids, 'later')
  const present = await presentRows(db, entries)
  const servers = await serverNames(db, entries)
  const events = new Map<RowEntry, ReadonlyArray<RaisedEvent>>()
  for (const entry of entries) {
    const { objectId, model } = entry
    if (objectId === null) {
      events.set(entry, summaryEvents(entry, servers))
      continue
    }
    const [first = entry, ...then] = [...(earlier.get(entry.id) ?? []), entry]
    const { action, before } = coalesced([first, ...then])
    const row = present.get(model)?.get(objectId) ?? null
    const after = action === 'delete' ? null : valuesAfter(row, later.get(entry.id) ?? [])
    const isNow = row !== null && (later.get(entry.id) ?? []).length === 0
    const told = after ?? entry.before ?? {}
    const named = servers.get(entry.serverId ?? 0) ?? firstPart(entry.title)
    const whole = wholeRow(entry, { ...told, ...(isNow ? {} : { last_updated: entry.time }) }, named)
    const postchange = after === null ? null : ofLog(model, after)
    events.set(entry, [
      {
        ...about(entry),
        type: eventOfAction[action],
        objectType: registry[model].objectType,
        data: serveRow(model, whole, {
          ...presentation,
          attached: await attachedTo(db, model, tagIdsOf(whole)),
        }) as LoggedValues, // border: a served row is JSON
        snapshots: await withNames(db, { prechange: prechangeOf(model, action, before, postchange), postchange }),
      },
    ])
  }
  return events
}

const about = ({ objectId, title, time, user, requestId }: RowEntry) => ({ objectId, title, time, user, requestId })

/** The stored values before a request: all those after it, with what it changed undone. */
function prechangeOf(
  model: ModelName,
  action: LoggedChange['action'],
  before: LoggedValues | null,
  postchange: LoggedValues | null,
): LoggedValues | null {
  if (action === 'create' || before === null) return null
  return action === 'delete' ? ofLog(model, before) : { ...postchange, ...before }
}

/** Of a row's values those that the change log has. */
const ofLog = (model: ModelName, values: LoggedValues): LoggedValues =>
  Object.fromEntries(loggedNames(model).flatMap((name) => (name in values ? [[name, values[name] ?? null]] : [])))

/** A row's values before and after. */
interface Snapshots {
  readonly prechange: LoggedValues | null
  readonly postchange: LoggedValues | null
}

/** The values of a row before and after, with the names of its tags and custom fields. */
async function withNames(db: Kysely<Tables>, { prechange, postchange }: Snapshots): Promise<Snapshots> {
  const naming = await namingOf(db, [prechange, postchange])
  return { prechange: naming(prechange), postchange: naming(postchange) }
}

/** The ids of a row's tags. */
const tagIdsOf = ({ tags }: Row): ReadonlyArray<number> => tags.filter((id) => typeof id === 'number')

/** A row with every field: null for what is not known. */
function wholeRow({ objectId, model, time }: RowEntry, values: LoggedValues, serverName: string): Row {
  const unknown = Object.fromEntries(Object.keys(registry[model].fields).map((name) => [name, null]))
  const rest = { tags: [], custom_fields: {}, created: time, last_updated: time }
  return { ...unknown, ...rest, ...values, id: objectId ?? 0, serverName } as Row // border: a row's values by name
}

/** Titles begin with the name that the server had. */
const firstPart = (title: string): string => title.split('/', 1)[0] ?? title

/** The events of the rows that were created in one scope. */
function summaryEvents(entry: RowEntry, servers: ReadonlyMap<number, string>): ReadonlyArray<RaisedEvent> {
  const { model, serverId, title, counts, after } = entry
  const counted = (Object.keys(counts ?? {}) as ReadonlyArray<ModelName>) // border: the log counts by model
    .toSorted((a, b) => Number(b === model) - Number(a === model))
  const name = servers.get(serverId ?? 0) ?? firstPart(title)
  const server: JsonValue =
    serverId === null ? null : { id: serverId, url: rowUrl('', 'server', serverId), display: name, name }
  const data: LoggedValues = {
    id: null,
    url: null,
    display: title,
    server,
    created: after?.['created'] ?? entry.time,
    counts: { ...counts },
    changes_url: `${apiRoot}changes/${entry.id}/`,
  }
  return counted.map((one) => ({
    ...about(entry),
    type: 'object_created',
    objectType: registry[one].objectType,
    data,
    snapshots: null,
  }))
}

type Neighbour = Pick<LoggedChange, 'action' | 'before'>

/**
 * The other entries about the objects of some entries: the earlier ones of the same request, oldest
 * first, or all later ones, newest first.
 */
async function neighbours(
  db: Kysely<Tables>,
  ids: ReadonlyArray<number>,
  which: 'earlier' | 'later',
): Promise<ReadonlyMap<number, ReadonlyArray<Neighbour>>> {
  if (ids.length === 0) return new Map()
  const [condition, order] =
    which === 'earlier'
      ? [sql`o.id < e.id and o.request_id = e.request_id`, sql`o.id`]
      : [sql`o.id > e.id`, sql`o.id desc`]
  const { rows } = await sql<Neighbour & { of: number }>`
    select e.id as of, o.action, o.before
    from changes e join changes o on o.model = e.model and o.object_id = e.object_id and ${condition}
    where e.id = any(${ids}::bigint[]) order by ${order}`.execute(db)
  return Map.groupBy(rows, ({ of }) => of)
}

/** The present rows of the entries' objects, by model and id. */
async function presentRows(
  db: Kysely<Tables>,
  entries: ReadonlyArray<RowEntry>,
): Promise<ReadonlyMap<ModelName, ReadonlyMap<number, LoggedValues>>> {
  const found = new Map<ModelName, ReadonlyMap<number, LoggedValues>>()
  for (const [model, ofModel] of Map.groupBy(entries, (entry) => entry.model)) {
    const ids = ofModel.flatMap(({ objectId }) => objectId ?? [])
    const columns = servedColumns(model)
    const list = sql.join(columns.map(([name, { value }]) => sql`${value} as ${sql.id(name)}`))
    const { rows } = await sql<LoggedValues & { readonly id: number }>`
      select ${list} ${listFrom(
        model,
        columns.map(([, column]) => column),
      )} where t.id = any(${ids}::bigint[])`.execute(db)
    found.set(model, new Map(rows.map((row) => [row.id, row])))
  }
  return found
}

/** The names of the entries' servers; one that is gone has none. */
async function serverNames(db: Kysely<Tables>, entries: ReadonlyArray<RowEntry>): Promise<ReadonlyMap<number, string>> {
  const ids = [...new Set(entries.flatMap(({ serverId }) => serverId ?? []))]
  const { rows } = await sql<{ id: number; name: string }>`
    select id, name from servers where id = any(${ids}::bigint[])`.execute(db)
  return new Map(rows.map(({ id, name }) => [id, name]))
}
