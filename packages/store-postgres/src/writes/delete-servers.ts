import type { ModelName } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { appendChanges, childRows, deletedRow, type Origin, rowTitle } from '../change-log/append-changes.ts'
import { jsonb } from '../database/statement-values.ts'
import type { Tables } from '../database/tables.ts'
import { tables } from '../tables/columns.ts'
import type { Writer } from './writer.ts'

/**
 * The models whose rows go with their server and have an entry each, leaves first. Tasks go too,
 * but they are a log themselves.
 */
const loggedChildren = [
  'snapshot',
  'group',
  'namespace',
  'job',
  'datastore',
] as const satisfies ReadonlyArray<ModelName>

/** A server that is deleted, as the log records it. */
export interface LeavingServer {
  readonly id: number
  readonly title: string
  /** The whole row as JSON text, which keeps every digit. */
  readonly row: string
}

/**
 * Locks the servers `m` that the condition finds, by id, and reads them for the log, which has them
 * in the order of these ids.
 */
export async function leavingServers(
  db: Kysely<Tables>,
  where: RawBuilder<unknown>,
  order: ReadonlyArray<number> = [],
): Promise<ReadonlyArray<LeavingServer>> {
  const { rows } = await sql<LeavingServer>`
    select m.id, ${rowTitle('server', 'm')} as title, ${deletedRow('server', 'm')}::text as row from servers m where ${where} order by m.id for update`.execute(
    db,
  )
  const places = new Map(order.map((id, place) => [id, place]))
  return rows.toSorted((a, b) => (places.get(a.id) ?? 0) - (places.get(b.id) ?? 0))
}

/**
 * Deletes servers with all their child rows, informs the watch and returns the number of servers.
 * The log gets an entry for each row except tasks, child rows before their server, so that a reader
 * who goes backwards sees the server first; hold the servers' exclusive locks
 * (`Places.deletedServers`).
 */
export async function deleteServers(
  db: Kysely<Tables>,
  { servers, writer }: { readonly servers: ReadonlyArray<LeavingServer>; readonly writer: Writer },
): Promise<number> {
  const { origin, watch } = writer
  if (servers.length === 0) return 0
  const ids = servers.map(({ id }) => id)
  const { rows: counted } = await sql<{ id: number; counts: unknown }>`
    select m.id, ${childRows('m')} as counts from servers m where m.id = any(${ids}::bigint[])`.execute(db)
  const counts = new Map(counted.map((row) => [row.id, row.counts]))
  for (const model of loggedChildren) await deleteChildren(db, model, { servers, origin })
  await deleteTasks(db, servers)
  const leaving = servers.map((server, place) => ({ ...server, place, counts: counts.get(server.id) ?? null }))
  const { rows } = await sql<{ deleted: number }>`
    with r as materialized (select * from jsonb_to_recordset(${jsonb(leaving)}) as r (id bigint, place bigint, title text, row text, counts jsonb)), gone as (
      delete from servers m using r where m.id = r.id
      returning r.place, m.id, m.id as server_id, r.title, r.row::jsonb as before, null::jsonb as after, r.counts
    ), ordered as (select * from gone order by place), logged as (${appendChanges('ordered', 'delete', 'server', { origin })})
    select count(*) as deleted from gone`.execute(db)
  await watch.serversDeleted(db)
  return rows[0]?.deleted ?? 0
}

/** Rows that one statement deletes: on the embedded engine a statement blocks the process. */
const windowSize = 1000

/**
 * Deletes a model's rows under servers. The servers may have lost their names by now, so the titles
 * in the log begin with the earlier names.
 */
async function deleteChildren(
  db: Kysely<Tables>,
  model: (typeof loggedChildren)[number],
  { servers, origin }: { readonly servers: ReadonlyArray<LeavingServer>; readonly origin: Origin },
): Promise<void> {
  const names = servers.map(({ id, title }) => ({ id, title }))
  for await (const isInWindow of windowsUnder(db, tables[model], servers)) {
    await sql`
      with r as materialized (select * from jsonb_to_recordset(${jsonb(names)}) as r (id bigint, title text)), gone as (
        delete from ${sql.table(tables[model])} m using r where m.server_id = r.id and ${isInWindow}
        returning m.id, m.server_id, ${rowTitle(model, 'm', () => sql`r.title`)} as title, ${deletedRow(model, 'm')} as before,
          null::jsonb as after, null::jsonb as counts
      ), logged as (select * from gone order by id) ${appendChanges('logged', 'delete', model, { origin })}`.execute(db)
  }
}

/** Deletes the tasks of servers, which the cascade would delete in one statement. */
async function deleteTasks(db: Kysely<Tables>, servers: ReadonlyArray<LeavingServer>): Promise<void> {
  const ids = servers.map(({ id }) => id)
  for await (const isInWindow of windowsUnder(db, tables.task, servers)) {
    await sql`delete from tasks m where m.server_id = any(${ids}::bigint[]) and ${isInWindow}`.execute(db)
  }
}

/**
 * The rows `m` of a table under servers, as conditions that find at most `windowSize` of them each.
 * Timers and requests of this process run before each.
 */
async function* windowsUnder(
  db: Kysely<Tables>,
  table: string,
  servers: ReadonlyArray<LeavingServer>,
): AsyncGenerator<RawBuilder<unknown>> {
  const { rows } = await sql<{ first: number; last: number }>`
    select min(id) as first, max(id) as last from (
      select id, (row_number() over (order by id) - 1) / ${windowSize} as nth from ${sql.table(table)}
      where server_id = any(${servers.map(({ id }) => id)}::bigint[])
    ) r group by nth order by nth`.execute(db)
  for (const { first, last } of rows) {
    await new Promise<void>((resume) => setImmediate(resume))
    yield sql`m.id between ${first}::bigint and ${last}::bigint`
  }
}
