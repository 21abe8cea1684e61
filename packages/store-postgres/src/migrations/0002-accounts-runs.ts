import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const statements = [
  `create table users (
    id bigint generated always as identity primary key,
    username text not null unique,
    created timestamptz not null default now()
  )`,
  `create table api_tokens (
    id bigint generated always as identity primary key,
    key text not null unique,
    secret_hash text not null,
    user_id bigint not null references users on delete cascade,
    description text not null,
    write_enabled boolean not null,
    enabled boolean not null default true,
    expires timestamptz,
    created timestamptz not null default now(),
    last_used timestamptz
  )`,
  'create index api_tokens_user on api_tokens (user_id)',
  `create table sessions (
    id_hash text primary key,
    user_id bigint not null references users on delete cascade,
    write_enabled boolean not null,
    expires timestamptz not null,
    token_id bigint references api_tokens on delete cascade
  )`,
  'create index sessions_user on sessions (user_id)',
  'create index sessions_token on sessions (token_id)',
  'create index sessions_expires on sessions (expires)',
  `create table sign_in_links (
    id_hash text primary key,
    username text not null,
    expires timestamptz not null
  )`,

  // One row. What was never changed is not stored, so that it follows the defaults of the release.
  `create table settings (
    id integer primary key check (id = 1),
    changed jsonb not null default '{}',
    proxbox_api_key text not null default '',
    created timestamptz not null default now(),
    last_updated timestamptz not null default now()
  )`,
  'insert into settings (id) values (1)',
  `create table secret_check (
    id integer primary key check (id = 1),
    sealed text not null
  )`,

  `create table runs (
    id bigint generated always as identity primary key,
    status text not null default 'pending',
    resources jsonb not null,
    servers jsonb,
    trigger text not null,
    started_by text not null,
    created timestamptz not null default now(),
    started timestamptz,
    completed timestamptz,
    cancel_requested boolean not null default false
  )`,
  // The gateway's job has the empty server name.
  `create table run_jobs (
    run_id bigint not null references runs on delete cascade,
    server text not null,
    state text not null default 'expected',
    error text not null default '',
    rows_read bigint not null default 0,
    unchanged_scopes bigint not null default 0,
    unchanged_rows bigint not null default 0,
    primary key (run_id, server)
  )`,
  // seq is the order in which scopes ended.
  `create table run_scopes (
    run_id bigint not null references runs on delete cascade,
    scope_key text not null,
    seq bigint generated always as identity,
    scope jsonb not null,
    outcome text not null,
    reason jsonb,
    created bigint not null,
    updated bigint not null,
    deleted bigint not null,
    unchanged bigint not null,
    held_back bigint not null,
    started timestamptz not null,
    ended timestamptz not null,
    primary key (run_id, scope_key)
  )`,
  'create index run_scopes_order on run_scopes (run_id, seq)',
  `create table run_warnings (
    run_id bigint not null references runs on delete cascade,
    digest text not null,
    seq bigint generated always as identity,
    scope jsonb,
    code text not null,
    message text not null,
    count bigint not null,
    primary key (run_id, digest)
  )`,
]

/** Users, tokens, sessions, settings and the records of runs. */
export const migration: Migration = {
  async up(db) {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}
