import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const statements = [
  'alter table servers rename column pins to overrides',
  'alter table datastores rename column pins to overrides',
  'alter table namespaces rename column pins to overrides',
  'alter table groups rename column pins to overrides',
  'alter table snapshots rename column pins to overrides',
  'alter table jobs rename column pins to overrides',
  'alter table tasks rename column pins to overrides',
]

/** What was called a pin is an override. */
export const migration: Migration = {
  async up(db) {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}
