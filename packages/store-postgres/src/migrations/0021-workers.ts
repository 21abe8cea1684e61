import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** The heartbeats of workers, so that an API can say that none runs. */
export const migration: Migration = {
  async up(db) {
    await sql`
      create table workers (
        id uuid primary key,
        name text not null,
        heard_at timestamptz not null default now(),
        stopped boolean not null default false
      )`.execute(db)
  },
}
