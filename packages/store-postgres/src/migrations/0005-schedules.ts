import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const text = 'text collate "C"'

const statements = [
  `alter table servers
    add column sync_schedule ${text} not null default '',
    add column sync_interval_minutes bigint`,

  // One row for each timing that is kept: the settings' own has no server.
  `create table schedules (
    server_id bigint references servers on delete cascade,
    timing ${text} not null,
    counted_from timestamptz not null,
    dropped bigint not null default 0
  )`,
  'create unique index schedules_server on schedules (coalesce(server_id, 0))',

  `alter table run_jobs
    add column tries bigint not null default 0,
    add column last_failure text not null default '',
    add column noted timestamptz not null default now()`,
  // What is looked through again and again: the few runs that are open, and the oldest that are over.
  'create index runs_open on runs (id) where completed is null',
  'create index runs_completed on runs (completed, id) where completed is not null',

  // One row: whose turn it is to remove what is too old.
  `create table retention_turns (
    id integer primary key check (id = 1),
    turn bigint not null default 0,
    due timestamptz not null default '-infinity',
    held_until timestamptz
  )`,
  'insert into retention_turns (id) values (1)',
]

/** Timings of single servers, what the schedule and the retention remember, and more of what a run says of its jobs. */
export const migration: Migration = {
  async up(db) {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}
