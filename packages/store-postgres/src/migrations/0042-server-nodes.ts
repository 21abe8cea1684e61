import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * The nodes that the tasks of each server name, kept after the tasks are removed: a verification
 * whose UPID names another node was made elsewhere.
 */
export const migration: Migration = {
  async up(db) {
    await sql`
      create table server_nodes (
        server_id bigint not null references servers on delete cascade,
        node text collate "C" not null,
        primary key (server_id, node)
      )`.execute(db)
    await sql`insert into server_nodes select distinct server_id, node from tasks where node <> ''`.execute(db)
  },
}
