import { branchedModels, type JsonValue, type ModelName } from '@netbox-pbs/core'
import { type Kysely, sql } from 'kysely'
import { branchWatch } from '../../src/branches/stale-groups.ts'
import type { Tables } from '../../src/database/tables.ts'
import { factColumns, keyColumns, operatorColumns, tables } from '../../src/tables/columns.ts'
import { judgeGroups } from '../../src/writes/judge-groups.ts'
import { recountGroups } from '../../src/writes/recount.ts'
import { recountScopes } from '../../src/writes/recount-scopes.ts'
import { fillTable, type Row, readTable } from './tables.ts'

/** The rows that main and a branch have of a model. */
interface Sides {
  readonly main: ReadonlyArray<Row>
  readonly entries: ReadonlyArray<Row>
}

/**
 * Fills an empty database with what a branch of another one shows, worked out row by row: its lists
 * are what lists in the branch must be.
 */
export async function copyBranch(from: Kysely<Tables>, branch: number, to: Kysely<Tables>): Promise<void> {
  const sides = new Map<ModelName, Sides>()
  for (const model of branchedModels) {
    const entries = await readTable(from, `branch_${tables[model]}`)
    sides.set(model, {
      main: await readTable(from, tables[model]),
      entries: entries.filter((e) => e['branch_id'] === branch),
    })
  }
  const servers = seenRows('server', sides)
  const seen = new Set(servers.map(({ id }) => id))
  const children = (model: ModelName) => seenRows(model, sides).filter((row) => seen.has(row['server_id'] ?? null))
  const snapshots = children('snapshot')
  await fillTable(to, 'servers', servers)
  for (const model of ['datastore', 'namespace', 'job'] as const) await fillTable(to, tables[model], children(model))
  await fillTable(to, 'snapshots', snapshots)
  await fillTable(
    to,
    'groups',
    seenGroups(sides, snapshots).filter((row) => seen.has(row['server_id'] ?? null)),
  )
  const scopes = await readTable(from, 'scopes')
  await fillTable(
    to,
    'scopes',
    scopes.filter((row) => row['server_id'] === null || seen.has(row['server_id'] ?? null)),
  )
  for (const model of ['server', 'datastore', 'job'] as const) await copyObservations(from, to, model, sides)
  await countAll(to)
}

const textOf = (model: ModelName, row: Row): string =>
  JSON.stringify(keyColumns(model).map(({ name }) => row[name] ?? null))

function seenRows(model: ModelName, sides: ReadonlyMap<ModelName, Sides>): ReadonlyArray<Row> {
  const { main, entries } = sides.get(model) ?? { main: [], entries: [] }
  const byId = new Map(entries.map((entry) => [entry['id'], entry]))
  const made = new Set(entries.filter(({ op }) => op === 'create').map((entry) => textOf(model, entry)))
  const rows: Array<Row> = []
  for (const row of main) {
    const entry = byId.get(row['id'])
    if (entry === undefined ? !made.has(textOf(model, row)) : entry['op'] === 'update')
      rows.push(entry === undefined ? row : updated(model, row, entry))
  }
  const known = new Set(main.map(({ id }) => id))
  const alone = entries.filter(({ op, id }) => op === 'create' || (op === 'update' && !known.has(id ?? null)))
  return [...rows, ...alone.map((entry) => whole(model, entry))]
}

/** Main's groups stay while they have snapshots or are listed; those that the branch makes are there. */
function seenGroups(sides: ReadonlyMap<ModelName, Sides>, snapshots: ReadonlyArray<Row>): ReadonlyArray<Row> {
  const { main, entries } = sides.get('group') ?? { main: [], entries: [] }
  const filled = new Set(snapshots.map((row) => textOf('group', row)))
  const deleted = new Set(entries.filter(({ op }) => op === 'delete').map(({ id }) => id))
  const made = new Set(entries.filter(({ op }) => op === 'create').map(({ id }) => id))
  const kept = seenRows('group', sides).filter(
    (row) => made.has(row['id']) || filled.has(textOf('group', row)) || row['presence'] === 'listed',
  )
  return [...kept, ...main.filter((row) => deleted.has(row['id']) && filled.has(textOf('group', row)))]
}

const columnsOf = (model: ModelName) => [...factColumns(model), ...operatorColumns(model)]

const copied = ['presence', 'last_seen_own', 'created', 'last_updated', 'tags', 'custom_fields']

const counters: Row = {
  standing: 'unjudged',
  ...{ snapshot_count: 0, manual_count: 0, missing_count: 0, listed_count: 0 },
  ...{ not_verified_count: 0, verification_failed_count: 0, verification_erased_count: 0 },
}

/** A row that only the branch has. */
function whole(model: ModelName, entry: Row): Row {
  const own = columnsOf(model).map(({ name }) => [name, entry[name] ?? null])
  const schedule = model === 'server' ? { sync_schedule: entry['sync_schedule'] ?? '' } : {}
  const zeros =
    model === 'group'
      ? { ...counters, newest_verification: '', verifications: {}, keys: {}, newest_unencrypted: false }
      : model === 'namespace'
        ? { group_count: 0, snapshot_count: 0 }
        : {}
  return {
    id: entry['id'] ?? null,
    ...Object.fromEntries([...own, ...copied.map((name) => [name, entry[name] ?? null])]),
    missing_since: null,
    ...schedule,
    ...zeros,
  }
}

function updated(model: ModelName, main: Row, entry: Row): Row {
  const row: Record<string, JsonValue> = { ...main }
  const touched = new Set(entry['touched'] as ReadonlyArray<string>)
  for (const { field, name } of columnsOf(model)) if (touched.has(field)) row[name] = entry[name] ?? null
  const base = entry['base'] as Row
  if (touched.has('tags')) row['tags'] = mergedTags(base['tags'], main['tags'], entry['tags'])
  if (touched.has('custom_fields')) {
    row['custom_fields'] = mergedMap(
      (base['custom_fields'] ?? {}) as Row,
      main['custom_fields'] as Row,
      entry['custom_fields'] as Row,
    )
  }
  const [ours, theirs] = [String(main['last_updated']), String(entry['last_updated'])]
  row['last_updated'] = Date.parse(ours) > Date.parse(theirs) ? ours : theirs
  return row
}

function mergedTags(...sides: ReadonlyArray<JsonValue | undefined>): JsonValue {
  const [base = [], main = [], branch = []] = sides as ReadonlyArray<ReadonlyArray<string> | undefined>
  const removed = base.filter((tag) => !branch.includes(tag))
  const added = branch.filter((tag) => !base.includes(tag))
  return [...new Set([...main, ...added])].filter((tag) => !removed.includes(tag))
}

function mergedMap(base: Row, main: Row, branch: Row): Row {
  const merged = { ...main }
  for (const key of Object.keys(base)) if (!Object.hasOwn(branch, key)) delete (merged as Record<string, unknown>)[key]
  for (const [key, value] of Object.entries(branch)) {
    if (JSON.stringify(base[key]) !== JSON.stringify(value)) Object.assign(merged, { [key]: value })
  }
  return merged
}

/**
 * The observations of main's rows, under the server that they have in the branch, and those that
 * came with creations.
 */
async function copyObservations(
  from: Kysely<Tables>,
  to: Kysely<Tables>,
  model: 'server' | 'datastore' | 'job',
  sides: ReadonlyMap<ModelName, Sides>,
): Promise<void> {
  const id = `${model}_id`
  const there = new Map((await readTable(to, tables[model])).map((row) => [row['id'], row]))
  const observed = await readTable(from, `${model}_observations`)
  const ofServer = (row: Row | undefined, key: JsonValue) =>
    model === 'server' ? { server_id: key } : { server_id: row?.['server_id'] ?? null, [id]: key }
  const rows = observed.flatMap((row) => {
    const key = row[id] ?? null
    return there.has(key) ? [{ ...row, ...ofServer(there.get(key), key) }] : []
  })
  await fillTable(to, `${model}_observations`, rows)
  for (const entry of sides.get(model)?.entries ?? []) {
    const key = entry['id'] ?? null
    if (entry['op'] !== 'create' || entry['observation'] === null || !there.has(key)) continue
    await fillTable(to, `${model}_observations`, [
      { ...(entry['observation'] as Row), ...ofServer(there.get(key), key) },
    ])
  }
}

async function countAll(to: Kysely<Tables>): Promise<void> {
  await recountGroups(to, sql`select server_id, datastore_name, namespace, backup_type, backup_id from groups`, {
    watch: branchWatch,
  })
  await judgeGroups(to, sql`true`)
  await recountScopes(
    to,
    sql`select server_id, datastore_name, namespace from groups union select server_id, datastore_name, path from namespaces`,
  )
}
