import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const statements = [
  `create table user_identities (
    issuer text not null,
    subject text not null,
    user_id bigint not null references users on delete cascade,
    created timestamptz not null default now(),
    primary key (issuer, subject)
  )`,
  'create index user_identities_user on user_identities (user_id)',
]

/** Which users sign in with a provider of OpenID Connect, and how it knows them. */
export const migration: Migration = {
  async up(db) {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}
