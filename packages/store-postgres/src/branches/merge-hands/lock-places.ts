import { type Kysely, sql } from 'kysely'
import type { Tables } from '../../database/tables.ts'
import { type GroupKey, lockGroups } from '../../hand-writes/touch-groups.ts'

/** Locks the namespaces in which a branch changes groups or snapshots, as it has them and as main has them. */
export async function lockPlaces(db: Kysely<Tables>, branch: number): Promise<void> {
  const place = (alias: string) =>
    sql.join(['server_id', 'datastore_name', 'namespace'].map((name) => sql.ref(`${alias}.${name}`)))
  const { rows } = await sql<Omit<GroupKey, 'backup_type' | 'backup_id'>>`
    select ${place('e')} from branch_snapshots e where e.branch_id = ${branch}::bigint
    union select ${place('e')} from branch_groups e where e.branch_id = ${branch}::bigint
    union select ${place('m')} from branch_snapshots e join snapshots m on m.id = e.id
      where e.branch_id = ${branch}::bigint and e.op <> 'create'`.execute(db)
  await lockGroups(
    db,
    rows.map((row) => ({ ...row, backup_type: '', backup_id: '' })),
  )
}
