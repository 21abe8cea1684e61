import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { storedVariants, variantColumns, variantsOf } from '../tables/variants.ts'

const place = sql.raw('server_id, datastore_name, namespace')
const same = (a: string, b: string): RawBuilder<unknown> =>
  sql.raw(['server_id', 'datastore_name', 'namespace'].map((name) => `${a}.${name} = ${b}.${name}`).join(' and '))

const variant = sql.join(variantColumns.map((name) => sql.ref(`v.${name}`)))

/**
 * Recomputes what is counted of namespaces from their groups: `scope_counts`, and the counters of
 * those that have a row. `places` selects their `server_id`, `datastore_name` and `namespace`; hold
 * the locks of their scopes. Only wrong counters are written. Keys that are new are noted.
 */
export async function recountScopes(db: Kysely<Tables>, places: RawBuilder<unknown>): Promise<void> {
  await sql`
    with p as materialized (select distinct ${place} from (${places}) x), g as materialized (
      select g.* from p cross join lateral (
        select g.server_id, g.datastore_name, g.namespace, g.backup_type, g.snapshot_count, g.variants, g.keys from groups g where ${same('g', 'p')} offset 0
      ) g
    ), alike as (
      select ${place}, backup_type, ${storedVariants('v', 'of all comments')} as variants
      from (
        select ${place}, backup_type, ${variant}, sum(v.snapshots)::bigint as snapshots
        from g cross join lateral (${variantsOf(sql`g.variants`)}) v group by ${place}, backup_type, ${variant}
      ) v group by ${place}, backup_type
    ), counted as materialized (
      select ${place}, backup_type, count(*) as groups, sum(snapshot_count)::bigint as snapshots from g group by ${place}, backup_type
    ), noted as (
      insert into encryption_keys (fingerprint)
      select distinct k.key from g cross join lateral jsonb_object_keys(g.keys) k (key)
      where g.keys <> '{}' and k.key not in ('', '?') and not exists (select from encryption_keys e where e.fingerprint = k.key)
      order by k.key on conflict do nothing
    ), emptied as (
      delete from scope_counts c using p where ${same('c', 'p')}
        and not exists (select from counted k where ${same('k', 'c')} and k.backup_type = c.backup_type)
    ), summed as (
      update namespaces n set group_count = c.groups, snapshot_count = c.snapshots
      from (
        select ${place}, coalesce(sum(groups), 0)::bigint as groups, coalesce(sum(snapshots), 0)::bigint as snapshots
        from p left join counted using (${place}) group by ${place}
      ) c
      where n.server_id = c.server_id and n.datastore_name = c.datastore_name and n.path = c.namespace
        and (n.group_count, n.snapshot_count) is distinct from (c.groups, c.snapshots)
    )
    insert into scope_counts as m (${place}, backup_type, groups, snapshots, variants)
    select ${place}, backup_type, groups, snapshots, coalesce(variants, '[]') from counted left join alike using (${place}, backup_type)
    on conflict (${place}, backup_type) do update
    set groups = excluded.groups, snapshots = excluded.snapshots, variants = excluded.variants
    where (m.groups, m.snapshots, m.variants) is distinct from (excluded.groups, excluded.snapshots, excluded.variants)`.execute(
    db,
  )
}
