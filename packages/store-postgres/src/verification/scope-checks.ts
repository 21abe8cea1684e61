import { type RawBuilder, sql } from 'kysely'
import { inScope, placeOf, type ScopePlace } from '../scopes/scope-place.ts'
import { storedVariants, variantColumns } from '../tables/variants.ts'
import { recountScopes } from '../writes/recount-scopes.ts'
import { type Check, lockUnit, namespaceUnit, object, placeOfUnit, type ReadPieces, titleOf } from './check.ts'

/** Namespaces of one page. */
const placesAtOnce = 500

type Place = Pick<ScopePlace, 'server_id' | 'datastore_name' | 'namespace'>

/** The namespaces that have groups or are counted, one a piece. */
const byNamespace =
  (compare: (place: ScopePlace) => RawBuilder<unknown>): ReadPieces =>
  async (db, _, after) => {
    const from = (after ?? { server_id: 0, datastore_name: '', namespace: '' }) as Place // border: an earlier call returned it
    const key = sql.raw('server_id, datastore_name, namespace')
    const later = sql`(${key}) > (${from.server_id}::bigint, ${from.datastore_name}, ${from.namespace})`
    const { rows } = await sql<Place>`
      select ${key} from scope_counts where ${later} union select ${key} from groups where ${later} order by 1, 2, 3 limit ${placesAtOnce}`.execute(
      db,
    )
    const pieces = rows.map((place) => ({
      title: [place.server_id, place.datastore_name, place.namespace].join('/'),
      compared: compare(placeOf('snapshots', place)),
    }))
    return { pieces, next: rows.length < placesAtOnce ? null : rows.at(-1) }
  }

/** A namespace as a relation of one row. */
export const rowOfPlace = ({ server_id, datastore_name, namespace }: ScopePlace): RawBuilder<unknown> =>
  sql`select ${server_id}::bigint as server_id, ${datastore_name}::text as datastore_name, ${namespace}::text as namespace`

const counters = { groups: sql`0`, snapshots: sql`0`, variants: sql`'[]'::jsonb` }
const variant = sql.join(variantColumns.map((name) => sql.ref(`s.${name}`)))

const counts: Check = {
  name: 'scope_counts.counters',
  table: 'scope_counts',
  rule: 'A namespace has for each backup type of its groups the count of these groups and of their snapshots, also of each kind of them.',
  pieces: byNamespace((place) => {
    const members = (alias: string) =>
      object({
        kept: sql`${sql.ref(`${alias}.backup_type`)} is not null`,
        ...Object.fromEntries(
          Object.entries(counters).map(([name, none]) => [
            name,
            sql`coalesce(${sql.ref(`${alias}.${name}`)}, ${none})`,
          ]),
        ),
      })
    return sql`
      select 0::bigint as id, ${titleOf('k', 'server_id', 'datastore_name', 'namespace', 'backup_type')} as title, ${namespaceUnit('k')} as unit, k.stored, k.recount
      from (
        select p.*, coalesce(c.backup_type, g.backup_type) as backup_type, ${members('c')} as stored, ${members('g')} as recount
        from (select c.* from scope_counts c where ${inScope(place, 'c')}) c
        full join (
          select g.backup_type, g.groups, v.snapshots, v.variants
          from (select g.backup_type, count(*) as groups from groups g where ${inScope(place, 'g')} group by g.backup_type) g
          left join (
            select v.backup_type, sum(v.snapshots) as snapshots, ${storedVariants('v', 'of all comments')} as variants
            from (
              select s.backup_type, ${variant}, count(*) as snapshots from snapshots s where ${inScope(place, 's')} group by s.backup_type, ${variant}
            ) v group by v.backup_type
          ) v using (backup_type)
        ) g on g.backup_type = c.backup_type
        cross join (${rowOfPlace(place)}) p
      ) k`
  }),
  repair: {
    lock: lockUnit,
    write: (db, unit) => recountScopes(db, rowOfPlace(placeOfUnit(unit))),
  },
}

/** The checks of what is counted of namespaces, which their repair counts from the counters of groups. */
export const scopeChecks: ReadonlyArray<Check> = [counts]
