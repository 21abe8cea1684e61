import { type Kysely, sql } from 'kysely'
import type { Tables } from '../../database/tables.ts'
import { branchTable } from '../branch-columns.ts'
import { childModels } from '../server-tombstone.ts'

/** Puts what a branch has below a server that it made below the one that main has made of the same name. */
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
