import { type RawBuilder, sql } from 'kysely'
import { variantsOf } from '../tables/variants.ts'
import { type Condition, differencesOf, type ListView, where } from './list-view.ts'

/**
 * The counters that pages in the order of the key are found by: servers, then the scopes of a
 * server (a datastore, namespace and backup type), then the groups of a scope.
 */
export interface Levels {
  /** Servers by `id` and `name`: a row is read only with its server. */
  readonly servers: RawBuilder<unknown>
  /**
   * Scopes `t` by `server_id, datastore_name, namespace, backup_type`, each perhaps in several rows,
   * with how many groups or snapshots it has as `n`.
   */
  readonly scopes: (counted: 'groups' | 'snapshots') => RawBuilder<unknown>
  /** Groups `t` by their key, each once, with their snapshots as `n`, of those that the condition finds. */
  readonly groups: (within: Within) => RawBuilder<unknown>
}

/** A condition on the row of an alias, which has the columns of a group's key. */
export type Within = (alias: string) => RawBuilder<unknown>

const scopeNames = ['server_id', 'datastore_name', 'namespace', 'backup_type'] as const

/** The columns of a scope, of the row of an alias. */
export const scopeOf = (alias: string): RawBuilder<unknown> =>
  sql.join(scopeNames.map((name) => sql.ref(`${alias}.${name}`)))

/** Whether the row of an alias is in the scope of another one. */
export const inScopeOf =
  (scope: string): Within =>
  (alias) =>
    sql.join(
      scopeNames.map((name) => sql`${sql.ref(`${alias}.${name}`)} = ${sql.ref(`${scope}.${name}`)}`),
      sql` and `,
    )

/** Main's own counters. */
export const mainLevels: Levels = {
  servers: sql`servers`,
  scopes: (counted) => sql`(select ${scopeOf('c')}, ${sql.ref(`c.${counted}`)} as n from scope_counts c) t`,
  groups: (within) =>
    sql`(select ${scopeOf('g')}, g.backup_id, g.snapshot_count as n from groups g where ${within('g')}) t`,
}

/** The rows that a walk counts: those that meet all conditions. */
export interface Source {
  readonly servers: RawBuilder<unknown>
  /** Queries that the others read, as steps of a `with`. */
  readonly steps: ReadonlyArray<RawBuilder<unknown>>
  /** The scopes `t` with `n` matching rows, each perhaps in several rows. */
  readonly scopes: RawBuilder<unknown>
  /** A query of the groups of a scope: `backup_id`, each once, and `n`. */
  readonly groups: (within: Within) => RawBuilder<unknown>
}

/** Conditions by the coarsest level that knows their columns. */
export interface Leveled {
  readonly ofScopes: ReadonlyArray<Condition>
  readonly ofGroups: ReadonlyArray<Condition>
}

const met = (conditions: ReadonlyArray<Condition>, ...more: ReadonlyArray<RawBuilder<unknown>>): RawBuilder<unknown> =>
  where([...conditions.map((condition) => condition.where), ...more])

/** Rows by conditions on columns of the group's key alone. */
export function rowsByKey(levels: Levels, counted: 'groups' | 'snapshots', { ofScopes, ofGroups }: Leveled): Source {
  const scopes =
    ofGroups.length === 0
      ? sql`(select t.* from ${levels.scopes(counted)} ${met(ofScopes)}) t`
      : sql`(select ${scopeOf('t')}, t.n from ${levels.groups(() => sql`true`)} ${met([...ofScopes, ...ofGroups])}) t`
  return {
    servers: levels.servers,
    steps: [],
    scopes,
    groups: (within) => sql`select t.backup_id, t.n from ${levels.groups(within)} ${met(ofGroups, within('t'))}`,
  }
}

/**
 * Snapshots by conditions on what their variants have in common too: main's variants, and by which
 * rows the view differs from main. Its differences are read whole: they cost what a branch changes.
 * `mayMatch`: conditions that follow from the others, on the texts of a group, by whose index these
 * are found.
 */
export function rowsByVariant(
  levels: Levels,
  view: ListView,
  { ofScopes, ofGroups, mayMatch = [] }: Leveled & { readonly mayMatch?: ReadonlyArray<RawBuilder<unknown>> },
): Source {
  const all = [...ofScopes, ...ofGroups]
  const differences = differencesOf(view, all, sql`${scopeOf('t')}, t.backup_id`)
  const and = (query: RawBuilder<unknown>) => (differences === null ? sql`` : sql` union all ${query}`)
  const byGroup = ofGroups.some(({ columns }) => columns.some(isOfGroup))
  return {
    servers: levels.servers,
    steps: differences === null ? [] : [sql`differences as materialized (${differences})`],
    scopes: sql`(
      select ${scopeOf('t')}, t.snapshots as n from ${byGroup ? groupVariants : scopeVariants} ${met(all, ...(byGroup ? mayMatch : []))}${and(sql`select ${scopeOf('d')}, d.n from differences d`)}
    ) t`,
    groups: (within) => sql`
      select t.backup_id, sum(t.n)::bigint as n from (
        select t.backup_id, t.snapshots as n from ${groupVariants} ${met(all, within('t'))}${and(sql`select d.backup_id, d.n from differences d where ${within('d')}`)}
      ) t group by t.backup_id having sum(t.n) > 0`,
  }
}

/** A search for a text, by the level that has it. */
export interface Search {
  /** Whether a scope `t` of the server `v` has the text in its names: all of its snapshots are found. */
  readonly ofScope: RawBuilder<unknown>
  /** Whether a variant `t` of a group has it. */
  readonly ofVariant: RawBuilder<unknown>
  /** Whether any variant of a group `t` may have it, by the index of its texts. */
  readonly mayHave: RawBuilder<unknown>
  /** Whether all variants of such a group have it, told by its texts; else each is looked at. */
  readonly ofAll: RawBuilder<unknown>
  /** The whole of it as a condition on snapshots. */
  readonly ofRow: Condition
}

/**
 * Snapshots that a search finds: all of the scopes whose names have the text, and of the others those
 * whose groups have it, or whose variants. They may have to meet conditions too.
 */
export function rowsBySearch(levels: Levels, view: ListView, search: Search, { ofScopes, ofGroups }: Leveled): Source {
  const all = [...ofScopes, ...ofGroups]
  const differences = differencesOf(view, [...all, search.ofRow], sql`${scopeOf('t')}, t.backup_id`)
  const and = (query: RawBuilder<unknown>) => (differences === null ? sql`` : sql` union all ${query}`)
  const inFound = sql`exists (select from found_scopes f where ${inScopeOf('f')('t')})`
  const found = sql`${search.mayHave} and ${search.ofVariant}`
  const wholes = sql`
      select ${scopeOf('f')}, f.snapshots as n from found_scopes f
      union all
      select ${scopeOf('t')}, t.snapshot_count as n from groups t where ${search.mayHave} and ${search.ofAll} and not ${inFound}
      union all`
  return {
    servers: levels.servers,
    steps: [
      sql`found_scopes as materialized (
        select ${scopeOf('t')}, t.snapshots from scope_counts t join ${levels.servers} v on v.id = t.server_id where ${search.ofScope}
      )`,
      ...(differences === null ? [] : [sql`differences as materialized (${differences})`]),
    ],
    scopes: sql`(
      ${all.length === 0 ? wholes : sql``}
      select ${scopeOf('t')}, t.snapshots as n from ${groupVariants}
      ${met(all, all.length === 0 ? sql`${found} and not ${search.ofAll} and not ${inFound}` : sql`(${found} or ${inFound})`)}${and(sql`select ${scopeOf('d')}, d.n from differences d`)}
    ) t`,
    groups: (within) => sql`
      select t.backup_id, sum(t.n)::bigint as n from (
        select t.backup_id, t.snapshots as n from ${groupVariants} ${met(all, within('t'), sql`(${found} or ${inFound})`)}${and(sql`select d.backup_id, d.n from differences d where ${within('d')}`)}
      ) t group by t.backup_id having sum(t.n) > 0`,
  }
}

/** Whether scopes do not tell the values of a column apart. */
const isOfGroup = ({ reads }: Condition['columns'][number]): boolean =>
  reads.includes('backup_id') || reads.includes('comment')

const scopeVariants = sql`(
    select ${scopeOf('c')}, v.* from scope_counts c cross join lateral (${variantsOf(sql`c.variants`)}) v
  ) t`

const groupVariants = sql`(
    select ${scopeOf('g')}, g.backup_id, g.texts, v.* from groups g cross join lateral (${variantsOf(sql`g.variants`)}) v
  ) t`
