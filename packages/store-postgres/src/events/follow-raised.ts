import {
  apiRoot,
  branchType,
  choice,
  type EventType,
  eventTypeRules,
  type FindingKind,
  findingKindRules,
  findingType,
  type HoldReason,
  type LoggedValues,
  pageRoot,
  parseTimestamp,
  type RaisedEvent,
  rowUrl,
  runType,
  type ScopeResource,
  scopeOf,
  scopeTitle,
  whyHeld,
} from '@netbox-pbs/core'
import { type Kysely, sql } from 'kysely'
import type { PgBoss } from 'pg-boss'
import type { Tables } from '../database/tables.ts'
import { enabledRules } from './follow-log.ts'
import { makeDeliveries } from './make-deliveries.ts'

/** Events that one transaction makes deliveries of. */
const eventsAtOnce = 100

/** One follower at a time: of two, the later could number its deliveries first. */
const followerLock = sql`pg_try_advisory_xact_lock(20547, 1)`

/** A row of `raised_events`: what a run, a branch, held deletions or a finding became. */
interface Raised {
  readonly id: number
  readonly time: string
  readonly event_type: EventType
  readonly object_id: number
  readonly object: LoggedValues
}

/**
 * Makes the deliveries of what happened outside the inventory, and removes the notes of it, in one
 * transaction. True: there may be more.
 */
export async function followRaised(step: { readonly trx: Kysely<Tables>; readonly boss: PgBoss }): Promise<boolean> {
  const { trx } = step
  const { rows: held } = await sql<{ free: boolean }>`select ${followerLock} as free`.execute(trx)
  if (held[0]?.free !== true) return false
  const { rows } = await sql<Raised>`
    select id, time, event_type, object_id, object from raised_events order by id limit ${eventsAtOnce}`.execute(trx)
  if (rows.length === 0) return false
  const rules = await enabledRules(trx, sql`true`)
  const servers = await serverNames(trx, rows)
  await makeDeliveries(
    step,
    rows.map((raised) => ({
      events: [eventOf(raised, servers)],
      place: String(raised.object_id),
      rules,
    })),
  )
  await sql`delete from raised_events where id = any(${rows.map(({ id }) => id)}::bigint[])`.execute(trx)
  return rows.length === eventsAtOnce
}

/** Whether anything waits to be followed. */
export async function hasRaised(db: Kysely<Tables>): Promise<boolean> {
  const { rows } = await sql`select from raised_events limit 1`.execute(db)
  return rows.length > 0
}

function eventOf({ time, event_type, object_id, object }: Raised, servers: ReadonlyMap<number, string>): RaisedEvent {
  const objectType = eventTypeRules[event_type].objectTypes[0]
  const told = describe(objectType, object, servers)
  return {
    type: event_type,
    objectType,
    objectId: object_id,
    title: String(told.data['display']),
    time,
    user: told.user,
    requestId: null,
    data: { id: object_id, ...told.data },
    snapshots: null,
  }
}

function describe(
  objectType: (typeof eventTypeRules)[EventType]['objectTypes'][number],
  object: LoggedValues,
  servers: ReadonlyMap<number, string>,
): Described {
  switch (objectType) {
    case runType:
      return runOf(object)
    case branchType:
      return branchOf(object)
    case findingType:
      return findingOf(object)
    default:
      return heldOf(object, servers)
  }
}

interface Described {
  readonly user: string
  /** Fields of the object as REST answers it. */
  readonly data: LoggedValues
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** A time of a row in JSON as RFC 3339 in UTC; null where there is none. */
const time = (value: unknown): string | null => parseTimestamp(text(value))

function runOf(run: LoggedValues): Described {
  return {
    user: text(run['started_by']),
    data: {
      url: `${apiRoot}sync-runs/${run['id']}/`,
      display_url: `${pageRoot}sync-runs/${run['id']}/`,
      display: `Run ${run['id']}`,
      status: choice(text(run['status'])),
      trigger: choice(text(run['trigger'])),
      mode: choice(text(run['mode'])),
      user: text(run['started_by']),
      resources: run['resources'] ?? null,
      created: time(run['created']),
      started: time(run['started']),
      completed: time(run['completed']),
    },
  }
}

function branchOf(branch: LoggedValues): Described {
  return {
    user: text(branch['user_name']),
    data: {
      url: `${apiRoot}branches/${branch['id']}/`,
      display_url: `${pageRoot}branches/${branch['id']}/`,
      display: text(branch['name']),
      schema_id: text(branch['schema_id']),
      name: text(branch['name']),
      description: text(branch['description']),
      status: choice(text(branch['status'])),
      kind: choice(text(branch['kind'])),
      user: text(branch['user_name']),
      created: time(branch['created']),
      last_updated: time(branch['last_updated']),
    },
  }
}

function findingOf(finding: LoggedValues): Described {
  const kind = findingKindRules[finding['kind'] as FindingKind] // border: the store wrote it
  const serverId = Number(finding['server_id'])
  const name = text(finding['server_name'])
  return {
    user: '',
    data: {
      url: `${apiRoot}findings/${finding['id']}/`,
      display: `${kind.label}: ${text(finding['title'])}`,
      kind: { value: text(finding['kind']), label: kind.label },
      severity: choice(text(finding['severity'])),
      state: choice(finding['closed'] === null ? 'open' : 'closed'),
      server:
        finding['server_id'] === null
          ? null
          : { id: serverId, url: rowUrl('', 'server', serverId), display: name, name },
      object_id: finding['object_id'] ?? null,
      since: time(finding['since']),
      count: finding['count'] ?? null,
      sentence: text(finding['sentence']),
      step: text(finding['step']),
      opened: time(finding['opened']),
      closed: time(finding['closed']),
      closed_by: text(finding['closed_by']),
    },
  }
}

function heldOf(held: LoggedValues, servers: ReadonlyMap<number, string>): Described {
  const server = servers.get(Number(held['server_id'])) ?? ''
  const scope = scopeOf(held['resource'] as ScopeResource, {
    server,
    datastore: text(held['datastore_name']),
    namespace: text(held['namespace']),
    job_type: text(held['job_type']),
  })
  const reason = held['reason'] as HoldReason // border: the store wrote it
  return {
    user: '',
    data: {
      url: `${apiRoot}sync-runs/${held['run_id']}/held/${held['id']}/`,
      display: scopeTitle(scope),
      scope: { ...scope },
      state: choice(text(held['state'])),
      reason: { code: reason, message: whyHeld[reason] },
      revision: held['revision'] ?? null,
      since: time(held['since']),
    },
  }
}

async function serverNames(db: Kysely<Tables>, rows: ReadonlyArray<Raised>): Promise<ReadonlyMap<number, string>> {
  const ids = rows.flatMap(({ event_type, object }) =>
    event_type === 'deletions_held' ? [Number(object['server_id'])] : [],
  )
  if (ids.length === 0) return new Map()
  const { rows: found } = await sql<{ id: number; name: string }>`
    select id, name from servers where id = any(${ids}::bigint[])`.execute(db)
  return new Map(found.map(({ id, name }) => [id, name]))
}
