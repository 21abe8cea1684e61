import { type Author, type Branch, type LoggedValues, type ModelName, registry } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { appendChanges, timestamp } from '../change-log/append-changes.ts'
import { authorOf, differing, logOther } from '../change-log/log-other.ts'
import { jsonb } from '../database/statement-values.ts'
import type { Tables } from '../database/tables.ts'

/**
 * A branch as the log records it, under the names of REST. The branch's own list and the entries of
 * its merge record its content.
 */
const loggedBranch = (branch: Branch): LoggedValues => ({
  name: branch.name,
  description: branch.description,
  kind: branch.kind,
  status: branch.status,
  review: branch.review,
  reverts: branch.reverts,
  revision: branch.revision,
  merged_time: branch.merged,
  merged_by: branch.merged_by,
})

/** Logs that a branch was opened. */
export const logOpened = (db: Kysely<Tables>, branch: Branch, by: Author | undefined): Promise<void> =>
  logOther(db, { ...about(branch), action: 'create', before: null, after: loggedBranch(branch), by })

/** Logs a change of a branch; nothing when nothing differs. */
export async function logStep(
  db: Kysely<Tables>,
  { before, after, by }: { readonly before: Branch; readonly after: Branch; readonly by: Author | undefined },
): Promise<void> {
  const changed = differing(loggedBranch(before), loggedBranch(after))
  if (changed !== null) await logOther(db, { ...about(after), action: 'update', ...changed, by })
}

/** Logs the approval of a branch at its present revision. */
export async function logApproval(
  db: Kysely<Tables>,
  { before, after, by }: { readonly before: Branch; readonly after: Branch; readonly by: Author | undefined },
): Promise<void> {
  const of = ({ approved, approved_by, approved_at, revision }: Branch) => ({
    approved,
    approved_by,
    approved_time: approved_at,
    revision,
  })
  await logOther(db, { ...about(after), action: 'update', before: of(before), after: of(after), by })
}

/** Logs that an approval ended because the branch changed. */
export const logLapse = (
  db: Kysely<Tables>,
  { revision, by, ...branch }: Pick<Branch, 'id' | 'name' | 'revision'> & { readonly by: Author | undefined },
): Promise<void> =>
  logOther(db, {
    ...about(branch),
    action: 'update',
    before: { approved: true, revision: revision - 1 },
    after: { approved: false, revision },
    by,
  })

const about = ({ id, name }: Pick<Branch, 'id' | 'name'>) =>
  ({ model: 'branch', id, branchId: id, title: name }) as const

/**
 * Sets or clears the answer of the conflicts `c` that the condition finds, with a log entry for
 * each changed answer: the object, the values and the revision of the branch. Returns the number of
 * conflicts found.
 */
export async function answerLogged(
  db: Kysely<Tables>,
  branch: number,
  {
    where,
    answer,
    by,
  }: { readonly where: RawBuilder<unknown>; readonly answer: RawBuilder<unknown>; readonly by: Author | undefined },
): Promise<number> {
  const { rows } = await sql<{ answered: number }>`
    with w as materialized (select c.* from branch_conflicts c where ${where} for update), answered as (
      update branch_conflicts c set ${answer} from w where c.id = w.id and c.branch_id = ${branch}::bigint returning c.*
    ), touched as (
      select a.id, a.server_id, a.title || coalesce(': ' || a.field, '') as title, ${conflictRecord('w')} as before, ${conflictRecord('a')} as after, null::jsonb as counts
      from answered a join w on w.id = a.id where (a.resolution, a.resolved_by) is distinct from (w.resolution, w.resolved_by)
    ), logged as (${appendChanges('touched', 'update', 'conflict', { origin: { ...authorOf(by), branchId: branch } })})
    select count(*) as answered from answered`.execute(db)
  return rows[0]?.answered ?? 0
}

const objectTypes = Object.fromEntries(
  Object.values(registry).map(({ name, objectType }): readonly [ModelName, string] => [name, objectType]),
)

/** A conflict with its answer, under the names of REST. */
const conflictRecord = (alias: string): RawBuilder<unknown> => {
  const of = (name: string) => sql.ref(`${alias}.${name}`)
  return sql`jsonb_build_object('kind', ${of('kind')}, 'object_type', ${jsonb(objectTypes)} -> ${of('model')}, 'object_id', ${of('object_id')}, 'field', ${of('field')},
    'base', ${of('base')}, 'main', ${of('main')}, 'branch', ${of('branch')},
    'revision', (select b.revision from branches b where b.id = ${of('branch_id')}),
    'resolution', ${of('resolution')} -> 'choice', 'value', ${of('resolution')} -> 'value',
    'resolved_by', ${of('resolved_by')}, 'resolved_time', ${timestamp(of('resolved_at'))})`
}
