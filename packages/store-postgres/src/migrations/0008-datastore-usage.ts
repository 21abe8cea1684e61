import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** How full datastores were, a row a slot: appended, never rewritten, and kept after PBS forgot it. */
export const migration: Migration = {
  async up(db) {
    await sql
      .raw(
        `create table datastore_usage_points (
          server_id bigint not null,
          datastore_id bigint not null,
          time timestamptz not null,
          used_bytes bigint not null,
          total_bytes bigint not null,
          primary key (server_id, datastore_id, time),
          foreign key (server_id, datastore_id) references datastores (server_id, id) on update cascade on delete cascade
        )`,
      )
      .execute(db)
  },
}
