import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const statements = [
  `alter table users
    add column first_name text not null default '',
    add column last_name text not null default '',
    add column email text not null default '',
    add column is_active boolean not null default true,
    add column role text not null default 'admin' check (role in ('viewer', 'operator', 'admin')),
    add column servers jsonb check (jsonb_typeof(servers) = 'array'),
    add column password_hash text,
    add column last_login timestamptz,
    add check (servers is null or role <> 'admin')`,
  // Users of earlier releases could do everything; new ones are what their creator says.
  `alter table users alter column role set default 'viewer'`,
]

/** What users may do, and where; their passwords and addresses. */
export const migration: Migration = {
  async up(db) {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}
