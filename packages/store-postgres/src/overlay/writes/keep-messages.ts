import { type Kysely, sql } from 'kysely'
import { branchTable } from '../../branches/branch-columns.ts'
import type { ObjectMessage } from '../../change-log/log-messages.ts'
import { jsonb } from '../../database/statement-values.ts'
import type { Tables } from '../../database/tables.ts'
import type { BranchModel } from './lock-objects.ts'

/** Keeps the messages of a request with the entries of its objects, for the log of the merge. */
export async function keepMessages(
  db: Kysely<Tables>,
  { branch, model }: BranchModel,
  messages: ReadonlyArray<ObjectMessage>,
): Promise<void> {
  if (messages.length === 0) return
  await sql`
    update ${branchTable(model)} e set message = r.message from jsonb_to_recordset(${jsonb(messages)}) as r (id bigint, message text)
    where e.branch_id = ${branch}::bigint and e.id = r.id`.execute(db)
}
