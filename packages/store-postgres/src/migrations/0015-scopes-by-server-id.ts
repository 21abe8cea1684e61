import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * The id of the server that had a name at a time: that of the first rename from this name, or
 * deletion, after it; else that of the server that has it now.
 */
const serverNamed = (name: string, time: string): string => `coalesce(
  (select c.object_id from changes c where c.model = 'server' and c.before ->> 'name' = ${name} and c.time > ${time}
    and (c.action = 'delete' or c.after ->> 'name' <> ${name}) order by c.id limit 1),
  (select v.id from servers v where v.name = ${name})
)`

/**
 * The text that the store makes of a scope's place: equal to JavaScript's `JSON.stringify` of
 * resource, server id, datastore, namespace and job type.
 */
const placeKey = (alias: string): string => {
  const part = (name: string) => `to_json(coalesce(${alias}.scope ->> '${name}', ''))::text`
  const columns = ['datastore', 'namespace', 'job_type'].map(part).join(` || ',' || `)
  return `'[' || ${part('resource')} || ',' || coalesce(${alias}.server_id::text, 'null') || ',' || ${columns} || ']'`
}

const isKnown = (alias: string): string =>
  `(${alias}.server_id is not null or ${alias}.scope ->> 'resource' = 'servers')`

const statements = [
  'alter table branch_scopes add column server_id bigint',
  'alter table branch_conflicts add column server_id bigint',
  `update branch_scopes s set server_id = ${serverNamed(`(s.scope ->> 'server')`, 's.listed_at')} where s.scope ? 'server'`,
  `update branch_conflicts c set server_id = coalesce(
    (select s.server_id from branch_scopes s where s.branch_id = c.branch_id and s.scope ->> 'server' = c.scope ->> 'server' order by s.listed_at desc limit 1),
    (select v.id from servers v where v.name = c.scope ->> 'server')
  ) where c.scope ? 'server'`,
  // A branch may cover a scope under an old and a new name of its server: the last list counts, and
  // a question of the guard stays.
  `update branch_scopes s set held = o.held from branch_scopes o
    where o.branch_id = s.branch_id and s.held is null and o.held is not null and ${isKnown('s')}
      and ${placeKey('o')} = ${placeKey('s')}`,
  `delete from branch_scopes s using branch_scopes o
    where o.branch_id = s.branch_id and ${isKnown('s')} and ${placeKey('o')} = ${placeKey('s')}
      and (o.listed_at, o.scope_key) > (s.listed_at, s.scope_key)`,
  `update branch_scopes s set scope_key = ${placeKey('s')} where ${isKnown('s')}`,
  `update branch_conflicts c set scope_key = ${placeKey('c')} where c.scope is not null and ${isKnown('c')}`,
]

/**
 * Branches know the servers of their scopes, and the scopes of their conflicts, by id instead of by
 * name, so that a rename changes nothing but what is shown. A scope of which the server cannot be
 * told keeps its old key and no server: its branch is not merged while the guard asks about it.
 */
export const migration: Migration = {
  async up(db) {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}
