import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const text = `text collate "C" not null default ''`

/**
 * Tags and custom fields of deleted rows, by the natural key without its server, for when the key
 * returns. The columns of the scope find those of one list; the key may be too long for an index, so
 * its hash is in it.
 */
export const migration: Migration = {
  async up(db) {
    await sql
      .raw(
        `create table detached_values (
          server_id bigint not null references servers on delete cascade,
          model text collate "C" not null,
          datastore_name ${text},
          namespace ${text},
          job_type ${text},
          hash bigint not null,
          key jsonb not null,
          tags jsonb not null,
          custom_fields jsonb not null,
          since timestamptz not null default now(),
          primary key (server_id, model, datastore_name, namespace, job_type, hash)
        )`,
      )
      .execute(db)
    await sql.raw('create index detached_values_since on detached_values (since)').execute(db)
  },
}
