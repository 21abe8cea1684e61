import { type ChangeFilter, changeFields, type LoggedChange, modelNames } from '@netbox-pbs/core'
import { Changes } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { Database } from '../database/database.ts'
import { andSeen, type SeenServers, seenServers } from '../database/seen-servers.ts'
import type { Tables } from '../database/tables.ts'
import {
  anyContains,
  recordCondition,
  recordCount,
  recordListOf,
  recordOrder,
  recordSlice,
} from '../tables/record-list.ts'
import { namingOf } from './definition-names.ts'
import { horizon } from './horizon.ts'

const operation = 'reading the change log'

/** Reads the change log. */
export const changesLayer: Layer.Layer<Changes, never, Database> = Layer.effect(
  Changes,
  Effect.map(Database, (database) =>
    Changes.of({
      list: Effect.fn('Changes.list')(function* ({ filter, ...request }) {
        const seen = yield* seenServers
        const page = database.query(operation, async (db) => {
          const follows = filter.afterId !== undefined
          // Read this before the entries: changes that commit later have higher ids.
          const upperBound = follows ? [sql`c.id <= ${await horizon(db)}::bigint`] : []
          const asked = await recordCondition(db, changeList, filter.where)
          const searched =
            filter.search === undefined ? [] : [await anyContains(db, [sql`c.user_name`, sql`c.title`], filter.search)]
          const ofServers = seen === null ? [] : [seen(sql`c.server_id`)]
          const matching = where(filter, [...upperBound, ...ofServers, ...searched, asked])
          const own = { id: changeList.id, order: follows ? sql`c.id` : recordOrder(changeList, filter.order) }
          const { begin, order, limit, ...slice } = recordSlice(request, { ...own, newestFirst: !follows })
          const count = await recordCount(db, slice, sql`from changes c ${matching}`)
          const { rows } = await sql<LoggedChange>`
            ${selectChanges} ${matching} and ${begin} order by ${order} ${limit}`.execute(db)
          return { count, rows: (await named(db, rows)).map((row) => shown(row, seen)) }
        })
        const { where: asked = [], order = [], ...more } = filter
        const isWhole = seen === null && asked.length === 0 && order.length === 0 && Object.keys(more).length === 0
        return yield* isWhole ? page : database.scan(operation, page)
      }),
      get: Effect.fn('Changes.get')(function* ({ id }) {
        const seen = yield* seenServers
        if (!Number.isSafeInteger(id)) return Option.none()
        const rows = yield* database.query(operation, async (db) => {
          const { rows: found } = await sql<LoggedChange>`
            ${selectChanges} where c.id = ${id}::bigint ${andSeen(seen, sql`c.server_id`)}`.execute(db)
          return await named(db, found)
        })
        return Option.map(Option.fromNullable(rows[0]), (row) => shown(row, seen))
      }),
    }),
  ),
)

/** A branch may hold changes of servers that the user does not see, and its name may tell of them. */
const shown = (change: LoggedChange, seen: SeenServers): LoggedChange =>
  seen === null ? change : { ...change, branch: null }

/** The list of entries `c`. */
const changeList = recordListOf(changeFields, {
  columns: {
    id: sql`c.id`,
    time: sql`c.time`,
    user_name: sql`c.user_name`,
    request_id: sql`c.request_id`,
    run: sql`c.run_id`,
    branch: sql`c.branch_id`,
    action: sql`c.action`,
    changed_object_id: sql`c.object_id`,
    object_repr: sql`c.title`,
  },
  order: sql`c.id desc`,
  id: sql`c.id`,
})

/** Entries with the names of tags and custom fields, which the log has as the rows do. */
async function named(db: Kysely<Tables>, changes: ReadonlyArray<LoggedChange>): Promise<ReadonlyArray<LoggedChange>> {
  const naming = await namingOf(
    db,
    changes.flatMap(({ model, before, after }) => (isRow(model) ? [before, after] : [])),
  )
  return changes.map((change) =>
    isRow(change.model) ? { ...change, before: naming(change.before), after: naming(change.after) } : change,
  )
}

const isRow = (model: LoggedChange['model']): boolean => modelNames.some((name) => name === model)

/** The columns under the names of the port. */
const selectChanges = sql`
  select c.id, c.time, c.action, c.model, c.object_id as "objectId", c.title, c.server_id as "serverId", c.run_id as "runId", c.request_id as "requestId",
    c.user_name as "user", c.message, c.before, c.after, c.counts,
    case when c.branch_id is not null then jsonb_build_object('id', c.branch_id, 'name', coalesce(b.name, '')) end as branch
  from changes c left join branches b on b.id = c.branch_id`

function where(filter: ChangeFilter, more: ReadonlyArray<RawBuilder<unknown>>): RawBuilder<unknown> {
  const { actions, models, objectIds, users, requestIds, runIds, branchIds, afterId, after, before } = filter
  const among = (column: string, type: string, values: ReadonlyArray<string | number> | undefined) =>
    values === undefined ? [] : [sql`${sql.ref(`c.${column}`)} = any(${values}::${sql.raw(type)}[])`]
  const conditions = [
    ...among('action', 'text', actions),
    ...among('model', 'text', models),
    ...among('object_id', 'bigint', objectIds),
    ...among('user_name', 'text', users),
    ...among('request_id', 'uuid', requestIds),
    ...among('run_id', 'bigint', runIds),
    ...among('branch_id', 'bigint', branchIds),
    ...(afterId === undefined ? [] : [sql`c.id > ${afterId}::bigint`]),
    ...(after === undefined ? [] : [sql`c.time >= ${after}::timestamptz`]),
    ...(before === undefined ? [] : [sql`c.time <= ${before}::timestamptz`]),
    ...more,
  ]
  return sql`where ${sql.join([sql`true`, ...conditions], sql` and `)}`
}
