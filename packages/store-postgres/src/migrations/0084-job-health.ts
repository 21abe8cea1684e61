import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const text = 'text collate "C"'

/**
 * How each job does, by its schedule and its tasks, next to its observations. `schedule_seen` and
 * `schedule_since` tell since when it has had its schedule. Known from the next list of its server's
 * tasks or jobs on.
 */
export const migration: Migration = {
  async up(db) {
    await sql
      .raw(
        `alter table job_observations
          add column health ${text} not null default 'unknown',
          add column health_since timestamptz,
          add column due_at timestamptz,
          add column missed_runs bigint,
          add column failed_runs bigint not null default 0,
          add column first_error ${text} not null default '',
          add column last_good_run timestamptz,
          add column schedule_seen ${text},
          add column schedule_since timestamptz`,
      )
      .execute(db)
  },
}
