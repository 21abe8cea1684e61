import type { ChangeFilter, LoggedChange } from '@netbox-pbs/core'
import { Changes } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'
import { type RawBuilder, sql } from 'kysely'
import { Database } from '../database/database.ts'

const doing = 'reading the change log'

/** The change log as it is read. */
export const changesLayer: Layer.Layer<Changes, never, Database> = Layer.effect(
  Changes,
  Effect.map(Database, (database) =>
    Changes.of({
      list: Effect.fn('Changes.list')(({ filter, limit, offset }) => {
        const reading = database.query(doing, async (db) => {
          const matching = where(filter)
          const { rows: counted } = await sql<{ count: number }>`
            select count(*) as count from changes ${matching}`.execute(db)
          const { rows } = await sql<LoggedChange>`
            ${selectChanges} ${matching} order by time desc, id desc limit ${limit} offset ${offset}`.execute(db)
          return { count: counted[0]?.count ?? 0, rows }
        })
        return Object.keys(filter).length === 0 ? reading : database.scan(doing, reading)
      }),
      get: Effect.fn('Changes.get')(({ id }) =>
        database.query(doing, async (db) => {
          if (!Number.isSafeInteger(id)) return Option.none()
          const { rows } = await sql<LoggedChange>`${selectChanges} where id = ${id}::bigint`.execute(db)
          return Option.fromNullable(rows[0])
        }),
      ),
    }),
  ),
)

/** The columns under the names of the port. */
const selectChanges = sql`
  select id, time, action, model, object_id as "objectId", title, server_id as "serverId", run_id as "runId", request_id as "requestId",
    user_name as "user", before, after, counts
  from changes`

function where(filter: ChangeFilter): RawBuilder<unknown> {
  const { actions, models, objectIds, users, requestIds, runIds, after, before } = filter
  const among = (column: string, type: string, values: ReadonlyArray<string | number> | undefined) =>
    values === undefined ? [] : [sql`${sql.id(column)} = any(${values}::${sql.raw(type)}[])`]
  const conditions = [
    ...among('action', 'text', actions),
    ...among('model', 'text', models),
    ...among('object_id', 'bigint', objectIds),
    ...among('user_name', 'text', users),
    ...among('request_id', 'uuid', requestIds),
    ...among('run_id', 'bigint', runIds),
    ...(after === undefined ? [] : [sql`time >= ${after}::timestamptz`]),
    ...(before === undefined ? [] : [sql`time <= ${before}::timestamptz`]),
  ]
  return conditions.length === 0 ? sql`` : sql`where ${sql.join(conditions, sql` and `)}`
}
