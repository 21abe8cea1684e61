import {
  type Change,
  type Contact,
  diff,
  type Facts,
  formatTimestamp,
  naturalKey,
  nextHealth,
  type ServerHealth,
  type Warning,
} from '@netbox-pbs/core'
import type { Observed, ServerContact, ServerRow, SourceServer } from '@netbox-pbs/core/ports'
import { contactOf } from './server-contact.ts'

/** A server of the source with its observations. */
export interface ReportedServer {
  readonly facts: SourceServer
  readonly observed: ServerContact
}

/** The gateway's complete list, compared with the servers of main. */
export interface Reconciliation {
  readonly changes: ReadonlyArray<Change<'server'>>
  readonly observed: ReadonlyArray<Observed<'server'>>
  readonly unchanged: number
  readonly warnings: ReadonlyArray<Warning>
}

/** The request that made a row pending may be under way for this long. */
export const pendingMillis = 2 * 60_000

/**
 * Brings the servers of main in step with the endpoints of the gateway. Servers never vanish here,
 * with one exception: a row that was being connected, never was, and so never had an endpoint.
 *
 * | row of main | endpoint of its name | of its id, under another name | none |
 * | --- | --- | --- | --- |
 * | connected | takes its values | inventory only, with a warning; the endpoint makes a new server | inventory only |
 * | inventory only, also made by a user | takes its values | | stays |
 * | pending for less than two minutes | left alone | left alone | left alone |
 * | pending for longer | takes its values | takes its values, and its name if no row has it | removed if it never had an endpoint, else inventory only |
 */
export function reconcileServers(
  main: ReadonlyArray<ServerRow>,
  reported: ReadonlyArray<ReportedServer>,
  { nowMillis, runId }: { readonly nowMillis: number; readonly runId: number },
): Reconciliation {
  const busy = main.filter((row) => isBusy(row, nowMillis))
  const idle = main.filter((row) => !isBusy(row, nowMillis))
  const names = new Set(main.map((row) => row.facts.name))
  const busyNames = new Set(busy.map((row) => row.facts.name))
  const busyIds = new Set(busy.flatMap((row) => row.facts.endpoint_id ?? []))
  const free = reported.filter(({ facts }) => !busyNames.has(facts.name) && !busyIds.has(facts.endpoint_id))
  const byName = new Map(free.map((server) => [server.facts.name, server]))
  const byId = new Map(free.map((server) => [server.facts.endpoint_id, server]))

  const rows: Array<ServerRow> = []
  const sourceRows: Array<Facts<'server'>> = []
  const healths = new Map<string, ServerHealth | null>()
  const renames = new Map<number, string>()
  const removals: Array<Change<'server'>> = []
  const warnings: Array<Warning> = []
  for (const row of idle) {
    const { name, endpoint_id, endpoint_state } = row.facts
    const ofId = endpoint_id === null ? undefined : byId.get(endpoint_id)
    const newName = ofId !== undefined && ofId.facts.name !== name ? ofId.facts.name : null
    const takesName = endpoint_state === 'pending' && newName !== null && !names.has(newName)
    const endpoint = byName.get(name) ?? (takesName ? ofId : undefined)
    if (endpoint !== undefined) {
      if (endpoint === ofId && newName !== null) renames.set(row.id, name)
      healths.set(endpoint.facts.name, row.health)
      names.add(endpoint.facts.name)
      rows.push({ ...row, facts: { ...row.facts, name: endpoint.facts.name } })
      sourceRows.push(connected(endpoint.facts, row))
    } else if (endpoint_state === 'pending' && endpoint_id === null) {
      removals.push({ _tag: 'delete', id: row.id, key: naturalKey('server', row.facts) })
    } else if (endpoint_state !== 'none' || endpoint_id !== null) {
      rows.push(row)
      sourceRows.push({ ...row.facts, endpoint_id: null, endpoint_state: 'none' })
      if (newName !== null) warnings.push(renamed(name, newName))
    }
  }
  for (const { facts } of free) if (!healths.has(facts.name)) sourceRows.push(connected(facts, null))

  const { changes, unchanged } = diff({
    model: 'server',
    main: rows,
    source: [{ within: {}, rows: sourceRows }],
    complete: false,
  })
  return {
    changes: [...removals, ...changes.map((change) => withRename(change, renames))],
    observed: free.flatMap(({ facts, observed }) => {
      const contact = contactOf(observed, { at: formatTimestamp(nowMillis), runId })
      const health = healths.get(facts.name) ?? null
      if (contact === null || isOlder(contact, health)) return []
      return [{ key: naturalKey('server', facts), values: nextHealth(health, contact) }]
    }),
    unchanged: unchanged + (main.length - rows.length - removals.length),
    warnings,
  }
}

/**
 * Whether the run has met a failure of the server since the contact: the job of a server that has
 * answered begins before the list is complete.
 */
const isOlder = ({ _tag, runId }: Contact, health: ServerHealth | null): boolean =>
  _tag === 'answered' && health !== null && health.failed_run === runId && health.consecutive_failures > 0

/** Whether the request that made the row pending may still be under way. */
export function isBusy({ facts, pendingSince }: ServerRow, nowMillis: number): boolean {
  return (
    facts.endpoint_state === 'pending' && pendingSince !== null && nowMillis - Date.parse(pendingSince) < pendingMillis
  )
}

/** Facts that a silent server does not report stay as main has them. */
function connected(reported: SourceServer, row: ServerRow | null): Facts<'server'> {
  return {
    ...reported,
    version: reported.version ?? row?.facts.version ?? '',
    timezone: reported.timezone ?? row?.facts.timezone ?? '',
    endpoint_state: 'connected',
  }
}

/** A change of a row that takes its endpoint's name: known by the name it has, with the new one among its fields. */
function withRename(change: Change<'server'>, renames: ReadonlyMap<number, string>): Change<'server'> {
  const base = change._tag === 'update' ? renames.get(change.id) : undefined
  if (change._tag !== 'update' || base === undefined) return change
  const [value] = change.key
  return {
    ...change,
    key: naturalKey('server', { name: base }),
    fields: [{ field: 'name', base, value }, ...change.fields],
  }
}

const renamed = (name: string, newName: string): Warning => ({
  scope: { resource: 'servers' },
  code: 'server_renamed',
  message: `the gateway renamed ${name} to ${newName}: ${newName} is a new server, ${name} stays as inventory only; rename servers here to keep their children`,
  count: 1,
})
