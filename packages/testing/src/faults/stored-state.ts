import pg from 'pg'

/** What differs between two histories that end alike: numbers that a sequence gives, and times of writing. */
const volatile = new Set([
  'id',
  'seq',
  'object_id',
  'branch_id',
  'schema_id',
  'snapshot_id',
  'datastore_id',
  'held_deletions_id',
  'request_id',
  'run_id',
  'change_id',
  'created',
  'started',
  'ended',
  'completed',
  'noted',
  'time',
  'at',
  'last_updated',
  'last_seen_own',
  'decided_at',
  'resolved_at',
  'merged',
  'merged_time',
  'last_seen_at',
  'listed_at',
  'status_since',
  'checked',
  'digest_cleared_by',
  'pending_since',
  'last_used',
  'xid',
  'tries',
  'last_failure',
  'revision',
])

/** The name of a run's branch has the run's number and the time. */
const branchOfRun = /pbs-sync-\d+-\d{8}T\d{6}Z/g

const withoutVolatile = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutVolatile)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !volatile.has(name))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, part]) => [name, withoutVolatile(part)]),
  )
}

/** Which tables of a database a state is of. */
export interface StateOptions {
  /** Tables that are left out, by the beginning of their name. */
  readonly without?: ReadonlyArray<string>
}

/**
 * All rows of a database in one snapshot, as sorted lines of text, without what differs between two
 * histories that end alike. A second pair of equal lines stays a second one.
 */
export async function storedState(url: string, { without = [] }: StateOptions = {}): Promise<ReadonlyArray<string>> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows: tables } = await client.query<{ name: string }>(
      `select relname::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'public' and relkind = 'r' and relname !~ '^kysely_'`,
    )
    const shown = tables.filter(({ name }) => !without.some((start) => name.startsWith(start)))
    const { rows } = await client.query<{ table: string; row: unknown }>(
      shown.map(({ name }) => `select '${name}' as table, to_jsonb(t) as row from "${name}" t`).join(' union all '),
    )
    return rows
      .map(({ table, row }) => `${table} ${JSON.stringify(withoutVolatile(row))}`.replaceAll(branchOfRun, 'pbs-sync'))
      .sort()
  } finally {
    await client.end()
  }
}

/** Counters that disagree with the rows that they count; none when all agree. */
export async function wrongCounters(url: string): Promise<ReadonlyArray<string>> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<{ wrong: string }>(counters)
    return rows.map(({ wrong }) => wrong)
  } finally {
    await client.end()
  }
}

const counters = `
  select format('group %s counts %s snapshots', g.id, g.snapshot_count) as wrong
  from groups g left join lateral (
    select count(*) as n, min(backup_time) filter (where finished) as first, max(backup_time) filter (where finished) as last,
      min(backup_time) filter (where not finished) as unfinished from snapshots s
    where (s.server_id, s.datastore_name, s.namespace, s.backup_type, s.backup_id) = (g.server_id, g.datastore_name, g.namespace, g.backup_type, g.backup_id)
  ) s on true
  where (g.snapshot_count, g.first_backup, g.last_backup, g.unfinished_since) is distinct from (s.n, s.first, s.last, s.unfinished)
  union all
  select format('namespace %s counts %s groups and %s snapshots', n.id, n.group_count, n.snapshot_count)
  from namespaces n left join lateral (
    select count(*) as groups, coalesce(sum(snapshot_count), 0) as snapshots from groups g
    where (g.server_id, g.datastore_name, g.namespace) = (n.server_id, n.datastore_name, n.path)
  ) g on true
  where (n.group_count, n.snapshot_count) is distinct from (g.groups, g.snapshots)`
