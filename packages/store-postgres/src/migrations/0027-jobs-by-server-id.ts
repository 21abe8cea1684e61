import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const text = 'text collate "C"'

/**
 * The name that each server has, or had last: the records of runs outlive their servers, and show
 * them under it. Kept by a trigger, whoever writes the servers.
 */
const serverNames = [
  `create table server_names (
    server_id bigint primary key,
    name ${text} not null
  )`,
  'insert into server_names (server_id, name) select id, name from servers',
  `insert into server_names (server_id, name)
    select distinct on (object_id) object_id, before ->> 'name' from changes
    where model = 'server' and action = 'delete' and before ->> 'name' is not null
    order by object_id, id desc
    on conflict do nothing`,
  `create function keep_server_name() returns trigger language plpgsql as $$
begin
  insert into server_names (server_id, name) values (new.id, new.name)
  on conflict (server_id) do update set name = excluded.name;
  return null;
end $$`,
  'create trigger keep_server_name after insert or update of name on servers for each row execute function keep_server_name()',
]

/**
 * Which server a run's records mean by a name: that of the first rename from this name, or
 * deletion, since the run was recorded; else the one that has the name now. A server that nothing
 * tells of any more gets an id below 0, under which its name is kept.
 */
const serversOfRuns = [
  `create temporary table renamed_servers as
    select id, object_id, before ->> 'name' as name, time from changes
    where model = 'server' and before ->> 'name' is not null
      and (action = 'delete' or (action = 'update' and after ->> 'name' <> before ->> 'name'))`,
  `create temporary table servers_of_runs as
    select n.run_id, n.name, coalesce(
      (select c.object_id from renamed_servers c where c.name = n.name and c.time > r.created order by c.id limit 1),
      (select v.id from servers v where v.name = n.name)
    ) as server_id
    from (
      select run_id, server as name from run_jobs where server <> ''
      union select run_id, scope ->> 'server' from run_scopes where scope ? 'server'
    ) n join runs r on r.id = n.run_id`,
  `insert into server_names (server_id, name)
    select -row_number() over (order by name), name from (select distinct name from servers_of_runs where server_id is null) u`,
  `update servers_of_runs s set server_id = n.server_id from server_names n where s.server_id is null and n.server_id < 0 and n.name = s.name`,
]

/**
 * As the store makes it of a scope's place: equal to JavaScript's `JSON.stringify` of resource,
 * server id, datastore, namespace and job type.
 */
const part = (name: string) => `to_json(coalesce(s.scope ->> '${name}', ''))::text`
const placeKey = `'[' || ${part('resource')} || ',' || coalesce(s.server_id::text, 'null') || ',' || ${['datastore', 'namespace', 'job_type'].map(part).join(` || ',' || `)} || ']'`

const records = [
  'alter table run_jobs add column server_id bigint not null default 0',
  'update run_jobs j set server_id = m.server_id from servers_of_runs m where m.run_id = j.run_id and m.name = j.server',
  // A run may have read one server under two names: what was noted last counts, as of two attempts at a job.
  `delete from run_jobs j using run_jobs l
    where l.run_id = j.run_id and l.server_id = j.server_id and (l.noted, l.server) > (j.noted, j.server)`,
  'alter table run_jobs drop column server',
  'alter table run_jobs add primary key (run_id, server_id)',
  'alter table run_jobs alter column server_id drop default',
  'alter table run_scopes add column server_id bigint',
  `update run_scopes s set server_id = m.server_id from servers_of_runs m where m.run_id = s.run_id and m.name = s.scope ->> 'server'`,
  `delete from run_scopes s using run_scopes l
    where l.run_id = s.run_id and l.server_id = s.server_id and l.scope - 'server' = s.scope - 'server' and l.seq > s.seq`,
  `update run_scopes s set scope_key = ${placeKey}`,
  // An open change set belongs to a worker of an earlier release: it is closed, and its job begins again.
  'delete from change_sets',
  'update change_set_parts set waiting = false where waiting',
  'alter table change_sets drop column server, add column opened_for bigint',
]

/**
 * Jobs that wait in the queue: their server's id, and what follows from it as the store makes it
 * (`jobKey`, `jobId`). A job of a run that is not recorded has nothing to do.
 */
const queuedJobs = `
do $$ begin
  if to_regclass('pgboss.job') is null then return; end if;
  create temporary table queued_jobs as
    select j.id as old, m.server_id, (j.data ->> 'runId') as run_id
    from pgboss.job j left join servers_of_runs m on m.run_id = (j.data ->> 'runId')::bigint and m.name = j.data ->> 'server'
    where j.name = 'sync' and j.state < 'completed' and j.data ->> 'server' is not null;
  delete from pgboss.job j using queued_jobs q where j.name = 'sync' and j.id = q.old and q.server_id is null;
  update pgboss.job j set
    id = substr(encode(sha256(convert_to(q.run_id || ' server-' || q.server_id, 'UTF8')), 'hex'), 1, 32)::uuid,
    singleton_key = 'server-' || q.server_id,
    data = (j.data - 'server' - 'servers') || jsonb_build_object('serverId', q.server_id)
  from queued_jobs q where j.name = 'sync' and j.id = q.old;
  update pgboss.job j set data = (j.data - 'server' - 'servers') || '{"serverId": null}'
  where j.name = 'sync' and j.state < 'completed' and not j.data ? 'serverId';
  drop table queued_jobs;
end $$`

const statements = [
  ...serverNames,
  ...serversOfRuns,
  ...records,
  queuedJobs,
  'drop table servers_of_runs',
  'drop table renamed_servers',
]

/**
 * The jobs and scopes of runs, open change sets and queued jobs know their servers by id instead of
 * by name, so that a rename changes nothing but what is shown.
 */
export const migration: Migration = {
  async up(db) {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}
