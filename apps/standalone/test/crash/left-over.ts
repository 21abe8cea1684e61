import type { Asks } from './asks.ts'

const staging = [
  'servers',
  'datastores',
  'namespaces',
  'groups',
  'snapshots',
  'jobs',
  'observations',
  'digests',
  'sightings',
]

/** Each query finds what no crash may leave behind. */
const traces: Readonly<Record<string, string>> = {
  'runs that are open': `select id from runs where status in ('pending', 'running')`,
  'jobs of runs that are open': `select run_id, server_id from run_jobs where state <> 'ended'`,
  'jobs of the queue that are open': `select id from pgboss.job where name = 'sync' and state < 'completed'`,
  'change sets': 'select id from change_sets',
  'parts of change sets': 'select id from change_set_parts',
  ...Object.fromEntries(staging.map((table) => [`staged ${table}`, `select part_id from staged_${table}`])),
}

const waiting = (presences: string): string => `
  select 'snapshot' as model, id from snapshots where presence not in (${presences})
  union all select 'group', id from groups where presence not in (${presences})`

/**
 * Left-over rows that the end of a run should have cleared. `first`: rows that
 * the source has just lost may still be absent.
 */
export async function leftOver(asks: Asks, { first }: { readonly first: boolean }): Promise<ReadonlyArray<string>> {
  const found: Array<string> = []
  const rowsThatWait = waiting(first ? `'listed', 'absent'` : `'listed'`)
  for (const [trace, query] of Object.entries({ ...traces, 'rows that wait': rowsThatWait })) {
    const rows = await asks.sql(query)
    if (rows.length > 0) found.push(`${trace}: ${rows.length}, such as ${JSON.stringify(rows.slice(0, 3))}`)
  }
  return found
}
