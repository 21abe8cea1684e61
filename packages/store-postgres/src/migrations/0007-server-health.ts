import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const text = 'text collate "C"'

/**
 * A server's health, beside its status: rewritten with every contact, apart from the row that its
 * inventory and its ETag are about.
 */
export const migration: Migration = {
  async up(db) {
    await sql
      .raw(
        `alter table server_observations
          add column status_since timestamptz,
          add column consecutive_failures bigint not null default 0,
          add column last_error_code ${text} not null default '',
          add column last_error ${text} not null default '',
          add column last_error_at timestamptz,
          add column latency_ms bigint,
          add column tls_state ${text} not null default 'unknown',
          add column presented_fingerprint ${text} not null default '',
          add column failed_run bigint`,
      )
      .execute(db)
  },
}
