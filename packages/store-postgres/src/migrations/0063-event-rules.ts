import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const text = 'text collate "C"'

/**
 * A webhook follows the change log up to its position. A rule is about what comes after its
 * `since`, so that it tells of nothing from before it was made or enabled.
 */
const statements = [
  `create table webhooks (
    id bigint generated always as identity primary key,
    name ${text} not null unique,
    description ${text} not null,
    payload_url ${text} not null,
    http_method ${text} not null,
    http_content_type ${text} not null,
    additional_headers ${text} not null,
    secret ${text} not null default '',
    ssl_verification boolean not null,
    position bigint not null,
    created timestamptz not null default now(),
    last_updated timestamptz not null default now()
  )`,
  `create table event_rules (
    id bigint generated always as identity primary key,
    name ${text} not null unique,
    description ${text} not null,
    enabled boolean not null,
    object_types jsonb not null,
    event_types jsonb not null,
    conditions jsonb,
    webhook_id bigint not null references webhooks on delete cascade,
    action_data jsonb,
    since bigint not null,
    created timestamptz not null default now(),
    last_updated timestamptz not null default now()
  )`,
  'create index event_rules_webhook on event_rules (webhook_id)',
]

/** Webhooks, and the rules that say which events they are sent. */
export const migration: Migration = {
  async up(db) {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}
