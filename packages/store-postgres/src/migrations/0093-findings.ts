import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const text = 'text collate "C"'

const statements = [
  // The texts of the object and of its server are kept, so that a closed finding outlives both.
  `create table findings (
    id bigint generated always as identity primary key,
    kind ${text} not null,
    severity ${text} not null check (severity in ('critical', 'warning', 'info')),
    model ${text},
    object_id bigint,
    title ${text} not null,
    server_id bigint,
    server_name ${text} not null default '',
    key ${text} not null,
    under ${text},
    since timestamptz,
    count bigint not null,
    sentence ${text} not null,
    step ${text} not null,
    opened timestamptz not null,
    last_seen timestamptz,
    closed timestamptz,
    closed_by ${text} not null default '',
    snoozed_until timestamptz,
    snooze_reason ${text} not null default '',
    snoozed_by ${text} not null default '',
    snoozed_at timestamptz
  )`,
  // One cause has one finding that is not closed.
  'create unique index findings_key on findings (key) where closed is null',
  'create index findings_server on findings (server_id, id)',
  'create index findings_closed on findings (closed, id) where closed is not null',
  // One row: when everything was judged last, and the last run that had ended then.
  `create table finding_evaluations (
    id integer primary key check (id = 1),
    evaluated timestamptz,
    last_run_end timestamptz
  )`,
  'insert into finding_evaluations (id) values (1)',
  `create trigger raise_finding_opened after insert on findings for each row execute function raise_event('finding_opened')`,
  `create trigger raise_finding_closed after update on findings for each row
    when (old.closed is null and new.closed is not null) execute function raise_event('finding_closed')`,
]

/** Findings: what is wrong, since when, and what mends it. */
export const migration: Migration = {
  async up(db) {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}
