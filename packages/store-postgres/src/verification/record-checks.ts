import { openRunStatuses } from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'
import { literals } from '../database/statement-values.ts'
import { tables } from '../tables/columns.ts'
import { type Check, object } from './check.ts'
import { byId } from './pieces.ts'

const runEnds: Check = {
  name: 'runs.completed',
  table: 'runs',
  rule: 'A run says when it ended exactly if its status is one of an ended run.',
  pieces: byId(
    'runs',
    (range) => sql`
      select t.id, concat('run ', t.id) as title, '{}'::jsonb as unit, ${object({ ended: sql`t.completed is not null` })} as stored,
        ${object({ ended: sql`t.status not in (${literals(openRunStatuses)})` })} as recount
      from runs t where ${range}`,
  ),
  repair: 'Cancel the run on its page, or with POST sync-runs/{id}/cancel/.',
}

/** The identity of the place of a row's scope, as the store writes it (`placeKey`). */
function scopeKeyOf(alias: string): RawBuilder<unknown> {
  const member = (name: string) => sql`to_json(coalesce(${sql.ref(`${alias}.scope`)} ->> ${sql.lit(name)}, ''))::text`
  const others = sql.join(['datastore', 'namespace', 'job_type'].map(member), sql` || ',' || `)
  return sql`'[' || ${member('resource')} || ',' || coalesce(${sql.ref(`${alias}.server_id`)}::text, 'null') || ',' || ${others} || ']'`
}

/** Servers that were unknown when records began to name them by id have a key of their own. */
const hasKnownServer = (alias: string) =>
  sql`(${sql.ref(`${alias}.server_id`)} is not null or ${sql.ref(`${alias}.scope`)} ->> 'resource' = 'servers')`

/** The scopes of runs or of branches, whose rows have no ids of their own. */
const scopeKeys = (
  table: 'run_scopes' | 'branch_scopes',
  parents: 'runs' | 'branches',
  parent: 'run_id' | 'branch_id',
): Check => ({
  name: `${table}.scope_key`,
  table,
  rule: 'The key of a scope is that of its resource, server and names.',
  pieces: byId(
    parents,
    (range) => sql`
      select t.id, s.scope_key as title, '{}'::jsonb as unit, ${object({ scope_key: sql`s.scope_key` })} as stored,
        ${object({ scope_key: scopeKeyOf('s') })} as recount
      from ${sql.table(parents)} t join ${sql.table(table)} s on s.${sql.id(parent)} = t.id where ${range} and ${hasKnownServer('s')}`,
    { size: 10 },
  ),
  repair: 'Nothing reads the record under another key: remove the row of this key from the table.',
})

/** Tables whose ids are given to clients: none may be given twice. */
const numbered = [
  ...Object.values(tables),
  'changes',
  'runs',
  'branches',
  'branch_conflicts',
  'held_deletions',
  'users',
  'api_tokens',
]

const ids: Check = {
  name: 'sequences.last_value',
  table: 'pg_sequences',
  rule: 'The sequence of a table has reached the highest id of its rows, so that no id is given twice and readers of the change log miss no entry.',
  pieces: async () => ({
    pieces: numbered.map((table) => {
      const highest = sql`(select coalesce(max(t.id), 0) from ${sql.table(table)} t)`
      const reached = sql`coalesce(pg_sequence_last_value(pg_get_serial_sequence(${table}, 'id')::regclass), 0)`
      return {
        title: table,
        compared: sql`
          select 0::bigint as id, ${table}::text as title, '{}'::jsonb as unit, ${object({ last_value: sql`x.reached` })} as stored,
            ${object({ last_value: sql`greatest(x.reached, x.highest)` })} as recount
          from (select ${highest} as highest, ${reached} as reached) x`,
      }
    }),
    next: null,
  }),
  repair:
    "Stop the system, then set the sequence: select setval(pg_get_serial_sequence('TABLE', 'id'), max(id)) from TABLE.",
}

/** The checks of runs, of the records that name scopes, and of ids. */
export const recordChecks: ReadonlyArray<Check> = [
  runEnds,
  scopeKeys('run_scopes', 'runs', 'run_id'),
  scopeKeys('branch_scopes', 'branches', 'branch_id'),
  ids,
]
