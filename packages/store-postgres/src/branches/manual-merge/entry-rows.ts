import type { ModelName } from '@netbox-pbs/core'
import type { WritableModel } from '@netbox-pbs/core/ports'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Origin } from '../../change-log/append-changes.ts'
import { jsonb } from '../../database/statement-values.ts'
import type { Tables } from '../../database/tables.ts'
import {
  columnNames,
  defaultValue,
  fieldOf,
  keyColumns,
  observedColumns,
  sqlType,
  tables,
} from '../../tables/columns.ts'
import { freeKeys } from '../../writes/change-rows.ts'
import { type LeavingServer, leavingServers } from '../../writes/delete-servers.ts'
import type { GroupKey } from '../../writes/recount.ts'
import { deleteRows, insertLoggedRows, type LoggedRows, unlessTaken } from '../../writes/write-rows.ts'
import type { Writer } from '../../writes/writer.ts'
import { branchTable, mergedColumns } from '../branch-columns.ts'

/** Entries of a branch that become rows of main. */
interface InsertRequest {
  readonly branch: number
  readonly model: ModelName
  readonly ids: ReadonlyArray<number>
  readonly origin: Origin
  /** The time from which a row that is created as missing counts as missing, RFC 3339. */
  readonly at: string
  /** The rows get new ids and are the user's own, because main has lost the original rows. */
  readonly asNewRow: boolean
}

/**
 * Inserts the rows of entries with their initial observations and a log entry each, and returns the
 * entries whose server exists and whose key was free. Usually all keys are free, so taken ones are
 * not looked up first, which would cost half the time again.
 */
export async function insertEntryRows(db: Kysely<Tables>, request: InsertRequest): Promise<ReadonlySet<number>> {
  const rows = rowsOfEntries(request)
  const inserted =
    (await unlessTaken(db, () => insertLoggedRows(db, rows, 'stop'))) ?? (await insertLoggedRows(db, rows, 'leave out'))
  return new Set(inserted.flatMap(({ ord, written }) => (written ? [ord] : [])))
}

/** The rows of entries, in the order of their ids. */
function rowsOfEntries({ branch, model, ids, origin, at, asNewRow }: InsertRequest): LoggedRows {
  const presence = asNewRow ? sql`'manual'` : sql`e.presence`
  return {
    model,
    from: sql`
      from ${branchTable(model)} e where e.branch_id = ${branch}::bigint and e.id = any(${ids}::bigint[])${hasServer(model)}`,
    ord: sql`e.id`,
    id: asNewRow ? sql`nextval(pg_get_serial_sequence(${tables[model]}, 'id'))` : sql`e.id`,
    values: [
      ...mergedColumns(model).map(({ name }) => ({ name, value: sql.ref(`e.${name}`) })),
      { name: 'presence', value: presence },
      { name: 'last_seen_own', value: sql`e.last_seen_own` },
      {
        name: 'missing_since',
        value: sql`case when ${presence} in ('absent', 'missing') then ${at}::timestamptz end`,
      },
    ],
    observations: observedColumns(model).map(({ field, name }) => ({ name, value: initialObservation(model, field) })),
    origin,
  }
}

const hasServer = (model: ModelName): RawBuilder<unknown> =>
  model === 'server' ? sql`` : sql` and exists (select from servers v where v.id = e.server_id)`

function initialObservation(model: ModelName, name: string): RawBuilder<unknown> {
  const field = fieldOf(model, name)
  const type = sql.raw(field === undefined ? 'text' : sqlType(field))
  const observed = sql`(e.observation ->> ${name}::text)::${type}`
  const otherwise = defaultValue(model, name)
  return otherwise === null ? observed : sql`coalesce(${observed}, (${jsonb(otherwise)} #>> '{}')::${type})`
}

/** The ids of a branch's creations of a model, a page of them. */
export async function creationIds(
  db: Kysely<Tables>,
  {
    branch,
    model,
    after,
    limit,
  }: Pick<InsertRequest, 'branch' | 'model'> & { readonly after: number; readonly limit: number },
): Promise<ReadonlyArray<number>> {
  const { rows } = await sql<{ id: number }>`
    select e.id from ${branchTable(model)} e
    where e.branch_id = ${branch}::bigint and e.op = 'create' and e.id > ${after}::bigint order by e.id limit ${limit}`.execute(
    db,
  )
  return rows.map(({ id }) => id)
}

/** The groups that entries of snapshots or groups lie in, each once. */
export async function groupsOfEntries(
  db: Kysely<Tables>,
  { branch, model }: Pick<InsertRequest, 'branch' | 'model'>,
  ids: ReadonlyArray<number>,
): Promise<ReadonlyArray<GroupKey>> {
  const { rows } = await sql<GroupKey>`
    select distinct ${columnNames(keyColumns('group'), 'e')} from ${branchTable(model)} e
    where e.branch_id = ${branch}::bigint and e.id = any(${ids}::bigint[])`.execute(db)
  return rows
}

/**
 * Marks groups as not listed by their source. Each is deleted with its last snapshot, when groups
 * are reconciled.
 */
export async function unlistGroups(db: Kysely<Tables>, ids: ReadonlyArray<number>): Promise<void> {
  await sql`
    update groups set presence = 'manual', missing_since = null where id = any(${ids}::bigint[]) and presence <> 'manual'`.execute(
    db,
  )
}

/**
 * Deletes namespaces; one that still has groups stays, as if a user had created it. Call this after
 * all groups are reconciled.
 */
export async function removeNamespaces(
  db: Kysely<Tables>,
  { ids, writer }: { readonly ids: ReadonlyArray<number>; readonly writer: Writer },
): Promise<number> {
  if (ids.length === 0) return 0
  const used = sql`exists (select from groups g where g.server_id = m.server_id and g.datastore_name = m.datastore_name and g.namespace = m.path)`
  await sql`
    update namespaces m set presence = 'manual', missing_since = null where m.id = any(${ids}::bigint[]) and ${used}`.execute(
    db,
  )
  return await deleteRows(db, { model: 'namespace', where: sql`m.id = any(${ids}::bigint[]) and not ${used}`, writer })
}

/**
 * Frees the names of servers that are to be deleted. The servers themselves are deleted last, so
 * that rows that the branch moves to another server are not deleted with them.
 */
export async function freeServers(
  db: Kysely<Tables>,
  ids: ReadonlyArray<number>,
): Promise<ReadonlyArray<LeavingServer>> {
  if (ids.length === 0) return []
  const servers = await leavingServers(db, sql`m.id = any(${ids}::bigint[])`)
  await freeKeys(db, 'server', ids)
  return servers
}

/** The models whose entries users write. */
const edited = ['server', 'datastore', 'snapshot', 'job'] as const satisfies ReadonlyArray<WritableModel>

/**
 * Writes the messages that users left with entries into what the merge has logged about the same
 * objects.
 */
export async function logEntryMessages(db: Kysely<Tables>, branch: number): Promise<void> {
  for (const model of edited) {
    await sql`
      update changes c set message = e.message from ${branchTable(model)} e
      where e.branch_id = ${branch}::bigint and e.message <> '' and c.branch_id = e.branch_id and c.model = ${model} and c.object_id = e.id`.execute(
      db,
    )
  }
}
