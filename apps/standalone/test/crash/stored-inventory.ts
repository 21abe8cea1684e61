import type { PbsState } from '@netbox-pbs/pbs-simulator'
import { type ExpectedInventory, expectedInventory } from '../support/expected-inventory.ts'
import type { Asks } from './asks.ts'

const time = (column: string): string => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`

/** Main's rows in the shape of the expectation. Bytes are numbers in both: simulated ones are small enough. */
const statements: { readonly [Model in keyof ExpectedInventory]: string } = {
  datastores: `
    select d.id, d.presence, v.name as server, d.name, path, comment, used_bytes::float8, total_bytes::float8, avail_bytes::float8, mount_status, backend_type, maintenance
    from datastores d left join datastore_observations o on o.server_id = d.server_id and o.datastore_id = d.id join servers v on v.id = d.server_id`,
  namespaces: `
    select n.id, n.presence, v.name as server, datastore_name, path, depth::integer from namespaces n join servers v on v.id = n.server_id`,
  groups: `
    select g.id, g.presence, v.name as server, datastore_name, namespace, backup_type, backup_id, owner, comment, snapshot_count::integer,
      ${time('first_backup')} as first_backup, ${time('last_backup')} as last_backup,
      ${time('unfinished_since')} as unfinished_since
    from groups g join servers v on v.id = g.server_id`,
  snapshots: `
    select s.id, s.presence, v.name as server, datastore_name, namespace, backup_type, backup_id, ${time('backup_time')} as backup_time, size_bytes::float8,
      owner, protected, comment, verification_state, verification_upid, finished, crypt_mode, key_fingerprint, manifest_files || other_files as files
    from snapshots s join servers v on v.id = s.server_id`,
  jobs: `
    select j.id, j.presence, v.name as server, job_type, j.job_id, store, namespace, schedule, comment, disable, remote,
      coalesce(last_run_state, 'unknown') as last_run_state, coalesce(last_run_error, '') as last_run_error,
      ${time('last_run_endtime')} as last_run_endtime
    from jobs j left join job_observations o on o.server_id = j.server_id and o.job_id = j.id join servers v on v.id = j.server_id`,
}

/** A row of main: its facts as the expectation has them, and what only main knows. */
export interface StoredRow {
  readonly id: number
  readonly presence: string
  readonly facts: Readonly<Record<string, unknown>>
}

/** Main's rows of a model. */
export async function storedRows(asks: Asks, model: keyof ExpectedInventory): Promise<ReadonlyArray<StoredRow>> {
  const rows = await asks.sql<{ id: number; presence: string }>(statements[model])
  return rows.map(({ id, presence, ...facts }) => ({ id: Number(id), presence, facts }))
}

/** JSON with the members of every object in one order. */
export const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )

const models = Object.keys(statements) as ReadonlyArray<keyof ExpectedInventory> // border: keys of a literal

/**
 * The differences between main and the servers; none when they are equal. `first`: main was synced
 * once since they changed, and still has the rows that they have lost.
 */
export async function differencesFromSource(
  asks: Asks,
  states: ReadonlyArray<PbsState>,
  { first }: { readonly first: boolean },
): Promise<ReadonlyArray<string>> {
  const expected = states.map(expectedInventory)
  const found: Array<string> = []
  for (const model of models) {
    const stored = (await storedRows(asks, model)).map(({ facts }) => canonical(facts))
    const source = expected.flatMap((inventory) => inventory[model].map(canonical))
    const [there, requested] = [new Set(stored), new Set(source)]
    if (stored.length !== there.size) found.push(`${model}: ${stored.length - there.size} rows are stored twice`)
    found.push(...source.filter((row) => !there.has(row)).map((row) => `${model}, missing: ${row}`))
    if (!first)
      found.push(...stored.filter((row) => !requested.has(row)).map((row) => `${model}, not of the source: ${row}`))
  }
  return found
}
