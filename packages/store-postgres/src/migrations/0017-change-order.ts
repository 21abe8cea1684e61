import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * A transaction that logs anything announces, before it takes its first id, the id that the log has
 * reached: all its own are higher. The lock is shared, keeps nobody waiting, and ends with the
 * transaction. Its two numbers are 16 bits that tell it from other locks, and 48 bits of the id.
 */
const announce = `
create function announce_changes() returns trigger language plpgsql as $$
declare
  reached bigint;
begin
  if current_setting('netbox_pbs.announced', true) is distinct from pg_current_xact_id()::text then
    select case when is_called then last_value else 0 end into reached from changes_id_seq;
    perform pg_advisory_xact_lock_shared((20546 << 16) + ((reached >> 32) & 65535)::int, reached::bit(32)::int);
    perform set_config('netbox_pbs.announced', pg_current_xact_id()::text, true);
  end if;
  return null;
end $$`

const statements = [
  'alter table changes alter column time set default clock_timestamp()',
  'alter table changes add column branch_id bigint',
  'create index changes_branch on changes (branch_id) where branch_id is not null',
  announce,
  'create trigger announce_changes before insert on changes for each statement execute function announce_changes()',
]

/**
 * The change log in the order of what happened, with the branch that a merge landed, and a horizon
 * below which nothing is added.
 */
export const migration: Migration = {
  async up(db) {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}
