import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const statements = ['alter table runs rename column narrowing to scope_filter']

/** What was called the narrowing of a run is its scope filter. */
export const migration: Migration = {
  async up(db) {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}
