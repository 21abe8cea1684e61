import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const costs = ['requests', 'bytes', 'millis', 'most_in_flight'].map((name) => `${name} bigint not null default 0`)

const statements = [
  `alter table run_jobs ${costs.map((column) => `add column ${column}`).join(', ')}`,
  'create index run_jobs_asked on run_jobs (server_id, run_id) where requests > 0',
  `create table server_costs (
    server_id bigint not null references servers on delete cascade,
    day date not null,
    ${costs.join(', ')},
    primary key (server_id, day)
  )`,
  'create index server_costs_day on server_costs (day)',
]

/** What each job of a run asked of its server, and what each server was asked on each day (UTC). */
export const migration: Migration = {
  async up(db) {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}
