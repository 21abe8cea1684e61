import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const statements = [
  `update held_sets set reason = 'children_held' where reason = 'rows_below'`,
  `update branch_scopes set held = 'children_held' where held = 'rows_below'`,
]

/** The reason of deletions that wait for those of their children has the name that is served. */
export const migration: Migration = {
  async up(db) {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}
