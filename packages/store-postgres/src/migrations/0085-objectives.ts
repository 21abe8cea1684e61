import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const text = 'text collate "C"'

/** Rules about how old the newest backup of groups may be. A pattern that is null fits any value. */
export const migration: Migration = {
  async up(db) {
    await sql
      .raw(
        `create table objectives (
          id bigint generated always as identity primary key,
          name ${text} not null unique,
          weight bigint not null,
          server ${text},
          datastore ${text},
          namespace ${text},
          backup_type ${text},
          backup_id ${text},
          tag ${text},
          hours bigint,
          comment ${text} not null,
          created timestamptz not null default now(),
          last_updated timestamptz not null default now()
        )`,
      )
      .execute(db)
  },
}
