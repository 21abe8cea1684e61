import type { PbsState } from '@netbox-pbs/pbs-simulator'
import type { Asks } from '../crash/asks.ts'
import { expectedInventory } from '../support/expected-inventory.ts'
import { storesSeen } from './evolving-fleet.ts'
import type { FleetHistory, Model, Row } from './fleet-history.ts'
import { keyOf, models, stateName } from './fleet-history.ts'
import { differenceOf, type Main } from './invariants.ts'

/** A run that has ended, with the scopes that did not land. */
export interface EndedRun {
  readonly id: number
  readonly status: string
  readonly mode: string
  /** `resource server datastore namespace job_type`, with the outcome. */
  readonly outcomes: ReadonlyMap<string, string>
  /** Servers whose job ended without an error. */
  readonly servers: ReadonlySet<string>
}

const scopeText = (scope: Readonly<Record<string, string | undefined>>): string =>
  [scope['resource'], stateName(scope['server'] ?? ''), scope['datastore'], scope['namespace'], scope['job_type']]
    .map((part) => part ?? '')
    .join('|')

export async function readRun(asks: Asks, id: number): Promise<EndedRun> {
  const [run] = await asks.sql<{ status: string; mode: string }>('select status, mode from runs where id = $1', [id])
  const scopes = await asks.sql<{ scope: Record<string, string>; outcome: string }>(
    'select scope, outcome from run_scopes where run_id = $1',
    [id],
  )
  const jobs = await asks.sql<{ name: string }>(
    `select v.name from run_jobs j join servers v on v.id = j.server_id where j.run_id = $1 and j.state = 'ended' and j.error = ''`,
    [id],
  )
  return {
    id,
    status: run?.status ?? '',
    mode: run?.mode ?? '',
    outcomes: new Map(scopes.map(({ scope, outcome }) => [scopeText(scope), outcome])),
    servers: new Set(jobs.map(({ name }) => stateName(name))),
  }
}

const unlanded = new Set(['failed', 'skipped', 'cancelled', 'staged'])

/** The scopes that a row depends on, its own last. */
function scopesOf(model: Model, row: Row): ReadonlyArray<string> {
  const server = String(row['server'])
  const datastore = String(row['datastore_name'])
  const stores = scopeText({ resource: 'datastores', server })
  switch (model) {
    case 'datastores':
      return [stores]
    case 'jobs':
      return [scopeText({ resource: 'jobs', server, job_type: String(row['job_type']) })]
    case 'namespaces':
      return [stores, scopeText({ resource: 'namespaces', server, datastore })]
    default:
      return [
        stores,
        scopeText({ resource: 'namespaces', server, datastore }),
        scopeText({ resource: 'snapshots', server, datastore, namespace: String(row['namespace']) }),
      ]
  }
}

/** The keys of the rows above a row. */
function above(model: Model, { server, datastore_name, namespace }: Row): ReadonlyArray<string> {
  const store = keyOf('datastores', { server, name: datastore_name })
  const space = keyOf('namespaces', { server, datastore_name, path: namespace })
  return model === 'namespaces' ? [store] : model === 'datastores' || model === 'jobs' ? [] : [store, space]
}

/**
 * Compares main after a full run with the model: what was listed well is as the fleet is now, everything else as it
 * was before. Nothing but the run may have changed anything.
 */
export function faultsOfQuietRun(
  run: EndedRun,
  before: Main,
  after: Main,
  states: ReadonlyArray<PbsState>,
): ReadonlyArray<string> {
  const faults: Array<string> = []
  const isGood = (model: Model, row: Row) =>
    run.servers.has(String(row['server'])) &&
    scopesOf(model, row).every((scope) => !unlanded.has(run.outcomes.get(scope) ?? 'unchanged'))
  const fleet = new Map<string, { readonly model: Model; readonly row: Row }>()
  for (const state of states) {
    const inventory = expectedInventory(state)
    for (const model of models) for (const row of inventory[model]) fleet.set(keyOf(model, row), { model, row })
  }
  const sights = new Map(
    states.flatMap((state) => {
      const seen = storesSeen(state)
      return seen === null ? [] : [[state.name, seen] as const]
    }),
  )
  const isSeen = (row: Row): boolean =>
    sights.get(String(row['server']))?.has(String(row['datastore_name'] ?? row['store'] ?? row['name'])) ?? true
  for (const [key, { model, row }] of fleet) {
    if (!isSeen(row) || !isGood(model, row)) continue
    const stored = after.get(key)
    if (stored === undefined) faults.push(`${key} was listed well and is not in main`)
    else if (stored.presence !== 'listed') faults.push(`${key} was listed well and is ${stored.presence}`)
    else {
      const difference = differenceOf(stored.facts, [row, ...lastUsage(row, before.get(key)?.facts)], {})
      if (difference !== null) faults.push(`${key} was listed well, and its ${difference}`)
    }
  }
  for (const [key, { model, facts, presence }] of after) {
    if (presence !== 'listed' || fleet.has(key) || !isSeen(facts) || !isGood(model, facts)) continue
    const hasParents = above(model, facts).every((parent) => fleet.has(parent))
    if (hasParents) faults.push(`${key} is listed in main, and no list has it`)
  }
  for (const [key, row] of before) {
    const { model, facts } = row
    const own = scopesOf(model, facts).at(-1) ?? ''
    const isUnread = !run.servers.has(String(facts['server'])) || unlanded.has(run.outcomes.get(own) ?? 'unchanged')
    if (!isUnread || above(model, facts).some((parent) => before.has(parent) && !after.has(parent))) continue
    const now = after.get(key)
    if (now === undefined) faults.push(`${key} is gone, and its scope was not listed`)
    else if (run.outcomes.get(own) === 'staged' && row.presence === 'listed' && now.presence === 'absent') continue
    else if (now.presence !== row.presence || now.id !== row.id)
      faults.push(`${key} was ${row.presence} ${row.id} and is ${now.presence} ${now.id}, and its scope was not listed`)
    else {
      const difference = differenceOf(now.facts, [facts], {})
      if (difference !== null) faults.push(`${key} changed without a list: its ${difference}`)
    }
  }
  return faults
}

/** The usage of a store that cannot be opened stays as it was last known. */
const lastUsage = (row: Row, before: Row | undefined): ReadonlyArray<Row> =>
  before === undefined || row['used_bytes'] !== null
    ? []
    : [Object.fromEntries(['used_bytes', 'total_bytes', 'avail_bytes'].map((field) => [field, before[field]]))]

/** What the judge knows of a step in which anything may have happened at once. */
export interface Window {
  readonly history: FleetHistory
  /** The version of the fleet when the oldest run of the step began. */
  readonly from: number
  readonly before: Main
  readonly after: Main
  /** Values that users gave to fields, by key and field. */
  readonly edits: ReadonlyMap<string, Readonly<Record<string, ReadonlyArray<unknown>>>>
  /** Keys that a user made, deleted, or confirmed the deletion of. */
  readonly excused: ReadonlySet<string>
  /** Versions at which a list was answered completely, by server and path. */
  readonly answered: ReadonlyMap<string, ReadonlyMap<string, ReadonlyArray<number>>>
  /** Runs that were under way in the step. */
  readonly runs: number
}

/** Facts that no list gave, and deletions that no complete list justifies. */
export function faultsOfWindow(window: Window): ReadonlyArray<string> {
  const { history, from, before, after, edits, excused, answered, runs } = window
  const to = history.version
  const faults: Array<string> = []
  for (const [key, { facts, presence }] of after) {
    if (presence === 'manual' || excused.has(key)) continue
    const was = history.ever(key)
    if (was.length === 0) faults.push(`${key} is in main, and never was in the fleet`)
    else {
      const difference = differenceOf(facts, [...was, ...placeholders(key)], edits.get(key) ?? {})
      if (difference !== null) faults.push(`${key} has facts of no list: its ${difference}`)
    }
  }
  for (const [key, { model, facts, presence }] of before) {
    if (after.has(key) || excused.has(key) || presence === 'manual') continue
    const goneAt = (version: number) => history.wasAbsent(key, version, version)
    if (!history.wasAbsent(key, from, to)) {
      faults.push(`${key} was deleted, and the fleet had it all the time`)
      continue
    }
    const lists = answered.get(String(facts['server'])) ?? new Map<string, ReadonlyArray<number>>()
    const isJustified = listsOf(model, facts).some((path) => (lists.get(path) ?? []).some(goneAt))
    if (!isJustified) faults.push(`${key} was deleted, and no complete list lacked it`)
    // What two lists lack goes with its children, and stays itself while the guard holds some of them.
    const hasParents = above(model, facts).every(
      (parent) => after.has(parent) && before.get(parent)?.presence === 'listed',
    )
    if (runs === 1 && presence === 'listed' && hasParents && ['datastores', 'namespaces', 'groups'].includes(model))
      faults.push(`${key} was deleted by the first list that lacked it`)
  }
  return faults
}

/** What main has of a row whose source could not say more. */
const placeholders = (key: string): ReadonlyArray<Row> =>
  key.startsWith('datastores ')
    ? [{ used_bytes: null, total_bytes: null, avail_bytes: null, comment: '', path: '' }]
    : key.startsWith('jobs ')
      ? [{ last_run_state: 'unknown', last_run_error: '', last_run_endtime: null }]
      : []

/** The lists whose lack of a row, or of a row above it, justifies its deletion. */
function listsOf(model: Model, { datastore_name, namespace, job_type }: Row): ReadonlyArray<string> {
  const stores = ['/admin/datastore', '/config/datastore']
  const ns = namespace === '' || namespace === undefined ? '' : ` ${String(namespace)}`
  const store = `/admin/datastore/${String(datastore_name)}`
  switch (model) {
    case 'datastores':
      return stores
    case 'jobs':
      return job_type === 'gc' ? ['/admin/gc', ...stores] : [`/admin/${String(job_type)}`]
    case 'namespaces':
      return [...stores, `${store}/namespace`]
    default:
      return [...stores, `${store}/namespace`, `${store}/groups${ns}`, `${store}/snapshots${ns}`]
  }
}
