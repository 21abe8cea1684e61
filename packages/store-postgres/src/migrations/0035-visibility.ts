import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const statements = [
  'alter table scopes rename column view to visibility',
  'alter table held_sets rename column view to visibility',
  'alter table branch_scopes rename column view to visibility',
  `update held_sets set reason = 'visibility_changed' where reason = 'view_changed'`,
  `update branch_scopes set held = 'visibility_changed' where held = 'view_changed'`,
]

/** What was called a view is the visibility of a scope. */
export const migration: Migration = {
  async up(db) {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}
