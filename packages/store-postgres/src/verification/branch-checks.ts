import { branchedModels, openBranchStatuses } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { branchTable } from '../branches/branch-columns.ts'
import { literals } from '../database/statement-values.ts'
import type { Tables } from '../database/tables.ts'
import { type Check, object, titleOf, type Unit } from './check.ts'
import { byId } from './pieces.ts'

const lockBranch = (db: Kysely<Tables>, { branch = 0 }: Unit): Promise<unknown> =>
  sql`select from branches where id = ${branch}::bigint for update`.execute(db)

/** The branches with what is stored of them and what follows from other rows. */
const branches = (
  stored: Readonly<Record<string, RawBuilder<unknown>>>,
  recount: Readonly<Record<string, RawBuilder<unknown>>>,
  where: RawBuilder<unknown>,
) =>
  byId(
    'branches',
    (range) => sql`
      select t.id, ${titleOf('t', 'name')} as title, ${object({ branch: sql`t.id` })} as unit, ${object(stored)} as stored, ${object(recount)} as recount
      from branches t where ${range} and ${where}`,
  )

const waits = sql`exists (select from branch_conflicts c where c.branch_id = t.id and c.resolution is null)`

const statuses: Check = {
  name: 'branches.status',
  table: 'branches',
  rule: 'A compared branch is in review while it has a conflict without a resolution, else ready.',
  pieces: branches(
    { status: sql`t.status` },
    { status: sql`case when ${waits} then 'in_review' else 'ready' end` },
    sql`t.status in ('in_review', 'ready')`,
  ),
  repair: {
    lock: lockBranch,
    write: (db, { branch = 0 }) =>
      sql`update branches t set status = case when ${waits} then 'in_review' else 'ready' end where t.id = ${branch}::bigint`.execute(
        db,
      ),
  },
}

/** What only an open branch has, and what a merged one keeps to be shown and reverted. */
const whileOpen = ['branch_group_counts', 'branch_group_digests']
const entryTables = [...branchedModels.map((model) => branchTable(model)), sql`branch_conflicts`, sql`branch_scopes`]

const rowsIn = (table: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`(select count(*) from ${table} e where e.branch_id = t.id)`

const ended = sql`t.status not in (${literals(openBranchStatuses)})`

const leftOvers: Check = {
  name: 'branches.rows',
  table: 'branches',
  rule: 'A branch that has ended counts no groups, and one that was not merged has no changes, conflicts and scopes.',
  pieces: branches(
    {
      counts: sql.join(
        whileOpen.map((table) => rowsIn(sql.table(table))),
        sql` + `,
      ),
      changes: sql`case when t.status = 'merged' then 0 else ${sql.join(entryTables.map(rowsIn), sql` + `)} end`,
    },
    { counts: sql`0`, changes: sql`0` },
    ended,
  ),
  repair: {
    lock: lockBranch,
    write: async (db, { branch = 0 }) => {
      const of = sql`branch_id = ${branch}::bigint`
      for (const table of whileOpen) await sql`delete from ${sql.table(table)} where ${of}`.execute(db)
      const { rows } =
        await sql`select from branches t where t.id = ${branch}::bigint and t.status <> 'merged'`.execute(db)
      if (rows.length === 0) return
      for (const table of entryTables) await sql`delete from ${table} where ${of}`.execute(db)
    },
  },
}

/** The checks of branches as a whole. */
export const branchChecks: ReadonlyArray<Check> = [statuses, leftOvers]
