import { type Kysely, sql } from 'kysely'
import type { Tables } from '../../database/tables.ts'
import { branchTable } from '../branch-columns.ts'
import { childModels } from '../server-tombstone.ts'

/**
 * Moves a branch's rows under a server that it created to the server of the same name that main has
 * created since.
 */
export async function repointChildren(
  db: Kysely<Tables>,
  branch: number,
  { staged, adopted }: { readonly staged: number; readonly adopted: number },
): Promise<void> {
  for (const model of childModels) {
    await sql`
      update ${branchTable(model)} set server_id = ${adopted}::bigint
      where branch_id = ${branch}::bigint and server_id = ${staged}::bigint`.execute(db)
  }
}
