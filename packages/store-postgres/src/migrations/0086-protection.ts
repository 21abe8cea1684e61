import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const text = 'text collate "C"'

/**
 * Judging by rules, which every write of a rule ends. A scope has the version by which all its groups
 * were judged: one with an older version says so, and is judged again.
 */
const version = [
  'create table judging (id integer primary key check (id = 1), version bigint not null)',
  'insert into judging values (1, 1)',
  'alter table scopes add column judged_version bigint not null default 0',
  `create index scopes_judged on scopes (judged_version) where resource = 'snapshots'`,
  `create function judge_again() returns trigger language plpgsql as $$
  begin
    update judging set version = version + 1;
    return null;
  end $$`,
  'create trigger judge_again after insert or delete on objectives for each row execute function judge_again()',
  `create trigger judge_changed after update on objectives for each row
    when (${['weight', 'server', 'datastore', 'namespace', 'backup_type', 'backup_id', 'tag', 'hours'].map((name) => `old.${name} is distinct from new.${name}`).join(' or ')})
    execute function judge_again()`,
  `create function judge_renamed() returns trigger language plpgsql as $$
  begin
    if exists (select from objectives o where o.server is not null) then
      update judging set version = version + 1;
    end if;
    return null;
  end $$`,
  `create trigger judge_renamed after update of name on servers for each row when (old.name is distinct from new.name) execute function judge_renamed()`,
  `create function judge_tagged() returns trigger language plpgsql as $$
  begin
    if exists (select from objectives o where o.tag in (old.values ->> 'slug', new.values ->> 'slug')) then
      update judging set version = version + 1;
    end if;
    return null;
  end $$`,
  `create trigger judge_tagged after update on tags for each row
    when (old.removed is distinct from new.removed or old.values ->> 'slug' is distinct from new.values ->> 'slug') execute function judge_tagged()`,
]

/**
 * What each group stands at, by its snapshots and its objective alone, so that the clock and lists
 * without changes write nothing. `off_since` of a datastore: since when its source cannot read it.
 */
const groups = [
  `alter table groups
    add column objective bigint,
    add column objective_rule bigint,
    add column fresh_until timestamptz,
    add column standing ${text} not null default 'unjudged',
    add column standing_since timestamptz,
    add column judge_again_at timestamptz`,
  'create index groups_fresh_until on groups (fresh_until)',
  `create index groups_standing on groups (standing) where standing <> 'dated'`,
  'create index groups_objective_rule on groups (objective_rule) where objective_rule is not null',
  'create index groups_judge_again on groups (judge_again_at) where judge_again_at is not null',
  'alter table datastores add column off_since timestamptz',
  `create function note_datastore_off() returns trigger language plpgsql as $$
  begin
    new.off_since := case when split_part(new.maintenance, ':', 1) not in ('', 'read-only') or new.mount_status = 'notmounted'
      then coalesce(new.off_since, now()) end;
    return new;
  end $$`,
  `create trigger note_datastore_off before insert or update of maintenance, mount_status on datastores for each row execute function note_datastore_off()`,
  `update datastores set maintenance = maintenance where maintenance <> '' or mount_status <> ''`,
]

/** The protection of groups, known from the next reading of their lists on. */
export const migration: Migration = {
  async up(db) {
    for (const statement of [...version, ...groups]) await sql.raw(statement).execute(db)
  },
}
