import type { Observations, TaskMarks } from '@netbox-pbs/core'
import type { KnownTask, StoreFailed } from '@netbox-pbs/core/ports'
import type { Effect, Stream } from 'effect'
import { type RawBuilder, sql } from 'kysely'
import type { Database } from '../database/database.ts'
import { pageSize, pages } from '../database/pages.ts'
import { observedColumns } from '../tables/columns.ts'
import { asFields, type MainRecord, mainRow, selectMain } from '../tables/main-row.ts'

const readings = observedColumns('task')

/** The tasks of a server with these UPIDs. */
export const readTasks = (
  database: Database['Type'],
  { serverId, upids }: { readonly serverId: number; readonly upids: ReadonlyArray<string> },
): Stream.Stream<KnownTask, StoreFailed> =>
  tasksBy(database, sql`t.server_id = ${serverId} and t.upid = any(${upids}::text[])`)

/** The tasks of a server that run as far as main knows. */
export const readRunningTasks = (
  database: Database['Type'],
  { serverId }: { readonly serverId: number },
): Stream.Stream<KnownTask, StoreFailed> => tasksBy(database, sql`t.server_id = ${serverId} and t.outcome = 'running'`)

/** The newest start of a server's tasks, and the oldest of those that run. */
export const readTaskMarks = (
  database: Database['Type'],
  { serverId }: { readonly serverId: number },
): Effect.Effect<TaskMarks, StoreFailed> =>
  database.query('reading what is known of tasks', async (db) => {
    const { rows } = await sql<TaskMarks>`
      select
        (select max(starttime) from tasks where server_id = ${serverId}) as "newestStart",
        (select min(starttime) from tasks where server_id = ${serverId} and outcome = 'running') as "oldestRunning"`.execute(
      db,
    )
    return rows[0] ?? { newestStart: null, oldestRunning: null }
  })

function tasksBy(database: Database['Type'], where: RawBuilder<unknown>): Stream.Stream<KnownTask, StoreFailed> {
  return pages<KnownTask>((after) =>
    database.query('reading tasks', async (db) => {
      const { rows } = await sql<MainRecord>`${selectMain('task', sql`, ${asFields(readings, 't')}`)}
        where ${where} and t.upid > ${after?.facts.upid ?? ''} order by t.upid limit ${pageSize}`.execute(db)
      return rows.map(knownTask)
    }),
  )
}

function knownTask(record: MainRecord): KnownTask {
  const observed = Object.fromEntries(readings.map(({ field }) => [field, record[field] ?? null]))
  // The columns are those of the registry, with its types: that is what the schema's test checks.
  return { ...mainRow('task', record), observed: observed as unknown as Observations<'task'> }
}
