import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const statements = [
  'alter table groups add column list_digest text collate "C"',
  'alter table staged_digests add column list_digest text collate "C"',
  'alter table scopes add column last_full_at timestamptz, add column last_light_at timestamptz',
  `alter table runs add column mode text not null default 'full'`,
]

/**
 * A group keeps the digest of its row in the list of groups, so that a light run sees that it is unchanged; a scope
 * knows when it was last listed in full and when its groups alone were listed.
 */
export const migration: Migration = {
  async up(db) {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}
