import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const text = 'text collate "C"'

const tables = [
  `create table deliveries (
    id bigint generated always as identity primary key,
    uuid uuid not null default gen_random_uuid(),
    webhook_id bigint not null references webhooks on delete cascade,
    rule_id bigint references event_rules on delete set null,
    rule_name ${text} not null,
    event_type ${text} not null,
    object_type ${text} not null,
    object_id bigint,
    title ${text} not null,
    request_id uuid,
    line ${text} not null,
    body ${text} not null,
    state ${text} not null default 'pending' check (state in ('pending', 'delivered', 'failed', 'cancelled')),
    attempts integer not null default 0,
    tries integer not null default 0,
    created timestamptz not null default clock_timestamp(),
    last_attempt timestamptz,
    next_attempt timestamptz default clock_timestamp(),
    ended timestamptz,
    request jsonb,
    response_status integer,
    response_body ${text} not null default '',
    error ${text} not null default '',
    check ((state = 'pending') = (ended is null)),
    check ((state = 'pending') = (next_attempt is not null))
  )`,
  // Of one line the oldest is sent first.
  `create index deliveries_line on deliveries (line, id) where state = 'pending'`,
  `create index deliveries_open on deliveries (webhook_id) where state = 'pending'`,
  'create index deliveries_webhook on deliveries (webhook_id, id)',
  'create index deliveries_rule on deliveries (rule_id) where rule_id is not null',
  'create index deliveries_ended on deliveries (ended, id) where ended is not null',
  // What happened outside the inventory, as the row was then, until its deliveries are made.
  `create table raised_events (
    id bigint generated always as identity primary key,
    time timestamptz not null default clock_timestamp(),
    event_type ${text} not null,
    object_id bigint not null,
    object jsonb not null
  )`,
]

/**
 * Notes what a row became, in the transaction that writes it. It does so only while a rule asks for
 * it, so that a system without rules has no such rows.
 */
const raiseEvent = `
create function raise_event() returns trigger language plpgsql as $$
begin
  if exists (select from event_rules r where r.enabled and r.event_types ? tg_argv[0]) then
    insert into raised_events (event_type, object_id, object) values (tg_argv[0], new.id, to_jsonb(new));
  end if;
  return null;
end $$`

/** The triggers: when a row of a table becomes an event. */
const raised = [
  [
    'run_completed',
    'update',
    'runs',
    `old.completed is null and new.completed is not null and new.status = 'completed'`,
    'job_completed',
  ],
  [
    'run_failed',
    'update',
    'runs',
    `old.completed is null and new.completed is not null and new.status <> 'completed'`,
    'job_failed',
  ],
  ['branch_ready', 'update', 'branches', `old.status <> 'ready' and new.status = 'ready'`, 'branch_ready'],
  ['first_held', 'insert', 'held_deletions', `new.state = 'waiting'`, 'deletions_held'],
  [
    'more_held',
    'update',
    'held_deletions',
    `new.state = 'waiting' and (old.state <> 'waiting' or new.revision > old.revision)`,
    'deletions_held',
  ],
].map(
  ([name, on, table, becomes, event]) =>
    `create trigger raise_${name} after ${on} on ${table} for each row when (${becomes}) execute function raise_event('${event}')`,
)

/** Deliveries, and events that the change log does not have. */
export const migration: Migration = {
  async up(db) {
    for (const statement of [...tables, raiseEvent, ...raised]) await sql.raw(statement).execute(db)
  },
}
