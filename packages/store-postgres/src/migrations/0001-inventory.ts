import type { Migration } from 'kysely/migration'

/** The inventory, its observations and scopes, and the change sets. */
export const migration: Migration = {
  async up(_db) {},
}
