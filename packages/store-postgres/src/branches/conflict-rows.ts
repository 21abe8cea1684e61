import {
  type BranchConflict,
  type Conflict,
  type ConflictKind,
  conflictKinds,
  type ModelName,
  possibleChoices,
  type Resolution,
  type Scope,
  scopeTitle,
  stillHolds,
} from '@netbox-pbs/core'
import type { ConflictFilter } from '@netbox-pbs/core/ports'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { namingOf } from '../change-log/definition-names.ts'
import { jsonb } from '../database/statement-values.ts'
import type { Tables } from '../database/tables.ts'

/** A conflict as it is stored. */
export interface StoredConflict extends Conflict {
  readonly id: number
  readonly objectId: number | null
  readonly scopeKey: string
  readonly serverId: number | null
  readonly scope: Scope | null
  readonly title: string
  readonly resolution: Resolution | null
}

/**
 * A conflict that was found, and what it is about. Its scope is known by `scopeKey` (see
 * `placeKey`); names are only shown.
 */
export interface FoundConflict extends Conflict {
  readonly objectId: number | null
  readonly scopeKey: string
  /** Id of the scope's server. */
  readonly serverId: number | null
  readonly scope: Scope | null
  readonly title: string
}

const columns = sql`c.id, c.object_id as "objectId", c.scope_key as "scopeKey", c.server_id as "serverId", c.scope, c.title, c.kind, c.field,
  c.base, c.main, c.branch, c.resolution`

/** The stored conflicts of objects of a branch: of some, or of one kind. */
export async function conflictsOf(
  db: Kysely<Tables>,
  branch: number,
  {
    model,
    ...which
  }: { readonly model: ModelName } & ({ readonly ids: ReadonlyArray<number> } | { readonly kind: ConflictKind }),
): Promise<ReadonlyArray<StoredConflict>> {
  const among = 'ids' in which ? sql`c.object_id = any(${which.ids}::bigint[])` : sql`c.kind = ${which.kind}`
  const { rows } = await sql<StoredConflict>`
    select ${columns} from branch_conflicts c
    where c.branch_id = ${branch}::bigint and c.model = ${model} and ${among}`.execute(db)
  return rows
}

/** The stored conflicts of whole scopes of a branch. */
export async function conflictsOfScopes(db: Kysely<Tables>, branch: number): Promise<ReadonlyArray<StoredConflict>> {
  const { rows } = await sql<StoredConflict>`
    select ${columns} from branch_conflicts c where c.branch_id = ${branch}::bigint and c.object_id is null`.execute(db)
  return rows
}

/** Whether any conflict of a branch is stored, answered or not. */
export async function hasConflicts(db: Kysely<Tables>, branch: number): Promise<boolean> {
  const { rows } = await sql`select from branch_conflicts where branch_id = ${branch}::bigint limit 1`.execute(db)
  return rows.length > 0
}

type Named = Pick<StoredConflict, 'objectId' | 'scopeKey' | 'kind' | 'field'>

/** The subject of a conflict, without its values. A scope matters only where there is no object. */
const nameOf = ({ objectId, scopeKey, kind, field }: Named): string =>
  JSON.stringify([objectId ?? scopeKey, kind, field])

/** Stored conflicts, to be found again by what they are about. */
export class ConflictIndex {
  readonly #byName: ReadonlyMap<string, StoredConflict>

  constructor(stored: ReadonlyArray<StoredConflict>) {
    this.#byName = new Map(stored.map((conflict) => [nameOf(conflict), conflict]))
  }

  /**
   * The stored conflict that is the same, including its values; undefined: it is new, or a value
   * has changed.
   */
  same(now: Named & Conflict): StoredConflict | undefined {
    const seen = this.#byName.get(nameOf(now))
    return seen !== undefined && stillHolds(seen, now) ? seen : undefined
  }
}

/**
 * Reconciles the stored conflicts with those found. A conflict that still holds keeps its answer, a
 * changed one loses it, and one that is over is removed.
 */
export async function keepConflicts(
  db: Kysely<Tables>,
  { branch, model }: { readonly branch: number; readonly model: ModelName },
  stored: ReadonlyArray<StoredConflict>,
  found: ReadonlyArray<FoundConflict>,
): Promise<void> {
  const index = new ConflictIndex(stored)
  const holding = found.flatMap((now) => {
    const seen = index.same(now)
    return seen === undefined ? [] : [{ seen, now }]
  })
  const known = new Set(holding.map(({ seen }) => seen.id))
  const fresh = found.filter((now) => index.same(now) === undefined)
  const over = stored.flatMap(({ id }) => (known.has(id) ? [] : [id]))
  if (over.length > 0) {
    await sql`delete from branch_conflicts where branch_id = ${branch}::bigint and id = any(${over}::bigint[])`.execute(
      db,
    )
  }
  const renamed = holding.flatMap(({ seen, now: { scope, scopeKey, serverId, title } }) =>
    title === seen.title && scopeKey === seen.scopeKey ? [] : [{ id: seen.id, scope, scopeKey, serverId, title }],
  )
  if (renamed.length > 0) await showAs(db, branch, renamed)
  if (fresh.length === 0) return
  const rows = fresh.map(
    ({ objectId, scopeKey, serverId, scope, title, kind, field, base, main, branch: requested }) => ({
      object_id: objectId,
      scope_key: scopeKey,
      server_id: serverId,
      scope,
      title,
      kind,
      field,
      values: [base, main, requested],
    }),
  )
  await sql`
    insert into branch_conflicts (branch_id, model, object_id, scope_key, server_id, scope, title, kind, field, base, main, branch)
    select ${branch}::bigint, ${model}, r.object_id, r.scope_key, r.server_id, nullif(r.scope, 'null'), r.title, r.kind, r.field,
      r.values -> 0, r.values -> 1, r.values -> 2
    from jsonb_to_recordset(${jsonb(rows)})
      as r (object_id bigint, scope_key text, server_id bigint, scope jsonb, title text, kind text, field text, values jsonb)`.execute(
    db,
  )
}

/** Shows conflicts under the present names of what they are about. */
async function showAs(
  db: Kysely<Tables>,
  branch: number,
  renamed: ReadonlyArray<Pick<StoredConflict, 'id' | 'scope' | 'scopeKey' | 'serverId' | 'title'>>,
): Promise<void> {
  await sql`
    update branch_conflicts c set scope = nullif(r.scope, 'null'), scope_key = r."scopeKey", server_id = r."serverId", title = r.title
    from jsonb_to_recordset(${jsonb(renamed)}) as r (id bigint, scope jsonb, "scopeKey" text, "serverId" bigint, title text)
    where c.branch_id = ${branch}::bigint and c.id = r.id`.execute(db)
}

/**
 * A conflict as the port returns it, under the present name of its server: a server can be renamed
 * between two comparisons of the branch with main.
 */
export const conflictOf = ({ serverName, ...conflict }: ConflictRecord): BranchConflict => {
  const { scope, title, objectId } = conflict
  if (serverName === null || scope === null || !('server' in scope) || scope.server === serverName) return conflict
  const named: Scope = { ...scope, server: serverName }
  if (objectId === null) return { ...conflict, scope: named, title: scopeTitle(named) }
  const rest = title.startsWith(`${scope.server}/`) ? title.slice(scope.server.length) : null
  return { ...conflict, scope: named, title: rest === null ? title : `${serverName}${rest}` }
}

/** Conflicts with the names of tags and custom fields, on each side and in a value that resolves them. */
export async function withNames(
  db: Kysely<Tables>,
  conflicts: ReadonlyArray<BranchConflict>,
): Promise<ReadonlyArray<BranchConflict>> {
  const sidesOf = ({ field, base, main, branch, resolution }: BranchConflict) =>
    field === null
      ? []
      : [base, main, branch, resolution?.choice === 'value' ? resolution.value : null].map((value) => ({
          [field]: value,
        }))
  const naming = await namingOf(db, conflicts.flatMap(sidesOf))
  return conflicts.map((conflict) => {
    const { field, resolution } = conflict
    if (field === null) return conflict
    const [base = null, main = null, branch = null, value = null] = sidesOf(conflict).map(
      (side) => naming(side)[field] ?? null,
    )
    const named = resolution?.choice === 'value' ? { ...resolution, value } : resolution
    return { ...conflict, base, main, branch, resolution: named }
  })
}

/** A row of `selectConflict`. */
export interface ConflictRecord extends BranchConflict {
  /**
   * The present name of the scope's server; null: the scope has none, or main no longer has the
   * server.
   */
  readonly serverName: string | null
}

/** `select … from branch_conflicts c`: conflicts, for `conflictOf`. */
export const selectConflict = sql<ConflictRecord>`
  select c.id, c.model, c.object_id as "objectId", c.title, c.scope, c.scope_key as "scopeKey", v.name as "serverName", c.kind, c.field, c.base, c.main, c.branch, c.resolution,
    c.resolved_by as "resolvedBy", c.resolved_at as "resolvedAt"
  from branch_conflicts c left join servers v on v.id = c.server_id`

/** The condition on `branch_conflicts c` that a filter means, within one branch. */
export function conflictCondition(
  branch: number,
  { ids, kinds, models, fields, scopes, resolved }: ConflictFilter,
): RawBuilder<unknown> {
  const among = (column: string, values: ReadonlyArray<string> | undefined) =>
    values === undefined ? [] : [sql`${sql.ref(`c.${column}`)} = any(${values}::text[])`]
  const conditions = [
    sql`c.branch_id = ${branch}::bigint`,
    ...(ids === undefined ? [] : [sql`c.id = any(${ids.filter(Number.isSafeInteger)}::bigint[])`]),
    ...among('kind', kinds),
    ...among('model', models),
    ...among('field', fields),
    ...among('scope_key', scopes),
    ...(resolved === undefined ? [] : [resolved ? sql`c.resolution is not null` : sql`c.resolution is null`]),
  ]
  return sql.join(conditions, sql` and `)
}

/** The conflicts that can be resolved at all. */
export function answerable({ choice }: Resolution): RawBuilder<unknown> {
  const kindsOf = (field: string | null) =>
    conflictKinds.filter((kind) => possibleChoices({ kind, field }).includes(choice))
  return sql`c.kind = any(case when c.field is null then ${kindsOf(null)}::text[] else ${kindsOf('any')}::text[] end)`
}
