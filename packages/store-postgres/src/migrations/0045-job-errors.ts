import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** What PBS said of the last run of a job, when it did not end well. */
export const migration: Migration = {
  async up(db) {
    await sql`alter table job_observations add column last_run_error text collate "C" not null default ''`.execute(db)
  },
}
