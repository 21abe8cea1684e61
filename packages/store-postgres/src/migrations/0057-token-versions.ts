import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const statements = [
  `alter table api_tokens
    add column version smallint not null default 2 check (version in (1, 2)),
    add column allowed_ips jsonb not null default '[]' check (jsonb_typeof(allowed_ips) = 'array')`,
  // The key of a token without a public part was always the start of its hash.
  'update api_tokens set version = 1 where key = left(secret_hash, 12)',
]

/** Which form each API token has, and from which networks it may be used. */
export const migration: Migration = {
  async up(db) {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}
