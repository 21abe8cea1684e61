import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const key = 'server_id, datastore_name, namespace, backup_type, backup_id'
const place = 'server_id, datastore_name, namespace, backup_type'
const columns = 'owner, protected, verification_state, crypt_mode, finished'

const statements = [
  `alter table groups add column variants jsonb not null default '[]'`,
  `alter table scope_counts add column variants jsonb not null default '[]'`,
  `with v as (
    select ${key}, ${columns}, comment, count(*) as snapshots from snapshots group by ${key}, ${columns}, comment
  ), counted as (
    select ${key}, jsonb_agg(jsonb_build_array(${columns}, comment, snapshots) order by ${columns}, comment) as variants from v group by ${key}
  )
  update groups g set variants = c.variants from counted c
  where (g.server_id, g.datastore_name, g.namespace, g.backup_type, g.backup_id) = (c.server_id, c.datastore_name, c.namespace, c.backup_type, c.backup_id)`,
  `with v as (
    select ${place}, ${columns}, count(*) as snapshots from snapshots group by ${place}, ${columns}
  ), counted as (
    select ${place}, jsonb_agg(jsonb_build_array(${columns}, null, snapshots) order by ${columns}) as variants from v group by ${place}
  )
  update scope_counts s set variants = c.variants from counted c
  where (s.server_id, s.datastore_name, s.namespace, s.backup_type) = (c.server_id, c.datastore_name, c.namespace, c.backup_type)`,
]

/**
 * How many snapshots of a group are alike in what lists are often filtered by, and the same of each
 * scope, there whatever their comments. A row has all of it in one column, as arrays of the values
 * and their count, because it is written with the other counters and read with all groups of a
 * scope.
 */
export const migration: Migration = {
  async up(db) {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}
