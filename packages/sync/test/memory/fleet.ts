import { hash } from 'node:crypto'
import { type Scope, type SourceRow, shortDigest } from '@netbox-pbs/core'
import type { ServerFailure, SourceFailed, SourceFrame, SourceGroup, SourceRequest } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { serverFacts } from './world.ts'

/** A server of the fleet: its datastores, each with its namespaces, each with its groups. */
export interface FleetServer {
  readonly name: string
  readonly endpointId: number
  readonly answers?: boolean
  /** Why it does not, as a gateway says it. */
  readonly failure?: ServerFailure
  /** How long it takes to answer; a gateway that measures it also says that certificates are checked. */
  readonly latencyMs?: number
  readonly datastores: Readonly<Record<string, FleetDatastore>>
  /** Job ids by type. */
  readonly jobs?: Readonly<Record<string, ReadonlyArray<string>>>
  readonly tasks?: ReadonlyArray<FleetTask>
}
/** A task; without an end it runs. */
export interface FleetTask {
  /** Epoch seconds; it also names the task. */
  readonly start: number
  readonly end?: number
  readonly status?: string
}
export interface FleetDatastore {
  readonly comment?: string
  /** Groups by namespace: `vm/101` with the hours of its backups. */
  readonly namespaces: Readonly<Record<string, Readonly<Record<string, ReadonlyArray<number>>>>>
}

/** The failure that a fleet's source reports for a scope instead of listing it. */
export type ConnectionFailure = (scope: Scope) => ReadonlyArray<Item> | null
/** A frame, or something that happens between frames. */
export type Item = SourceFrame | Effect.Effect<void, SourceFailed>

/** The surroundings of a list. */
export interface Listing {
  readonly visibility?: string | null
  /** How many rows of a scope exist and could not be read. */
  readonly leftOut?: (scope: Scope) => number
  readonly failure?: ConnectionFailure
  /** The scopes of which the caller's privileges hide rows. */
  readonly hides?: (scope: Scope) => boolean
  /** Between the frames of a scope. */
  readonly between?: Effect.Effect<void, SourceFailed>
}

export const backupTime = (hour: number): string =>
  new Date(Date.UTC(2026, 0, 1, hour)).toISOString().replace('.000', '')

/** The frames of a request, as the gateway would stream them. */
export function* fleetFrames(
  fleet: ReadonlyArray<FleetServer>,
  request: SourceRequest,
  listing: Listing = {},
): Generator<Item> {
  if (request.resource === 'servers') {
    yield* scopeFrames({ resource: 'servers' }, fleet.map(serverFrame), listing)
  } else {
    for (const server of fleet) {
      if (request.servers?.includes(server.name) === false) continue
      if (request.resource === 'datastores') yield* scopeFrames(...datastores(server), listing)
      else if (request.resource === 'jobs') yield* jobs(server, listing)
      else if (request.resource === 'tasks') yield* tasks(server, request.since ?? 0, listing)
      else
        yield* snapshots(server, new Set([...(request.known_groups ?? []), ...(request.known_frames ?? [])]), listing)
    }
  }
  yield { _tag: 'end' }
}

function* scopeFrames(scope: Scope, rows: ReadonlyArray<SourceFrame>, listing: Listing): Generator<Item> {
  const fallback = listing.failure?.(scope) ?? null
  yield { _tag: 'scope', scope }
  if (fallback !== null) return yield* fallback
  if (listing.hides?.(scope) === true)
    yield { _tag: 'warning', scope, code: 'privileges_missing', message: 'rows stay hidden' }
  for (const row of rows) {
    yield row
    if (listing.between !== undefined) yield listing.between
  }
  const leftOut = listing.leftOut?.(scope) ?? 0
  yield { _tag: 'complete', scope, count: countOf(rows), visibility: listing.visibility ?? null, leftOut }
}

/** Snapshots in the frames of groups, rows in others. */
const counts = new WeakMap<SourceFrame, number>()
const countOf = (rows: ReadonlyArray<SourceFrame>) => rows.reduce((sum, row) => sum + (counts.get(row) ?? 1), 0)

const serverFrame = ({
  name,
  endpointId,
  failure,
  latencyMs,
  answers = failure === undefined,
}: FleetServer): SourceFrame => {
  const { endpoint_state: _, ...facts } = serverFacts(name, endpointId)
  const stated = answers ? {} : { version: null, timezone: null }
  return {
    _tag: 'server',
    facts: { ...facts, endpoint_id: endpointId, ...stated },
    observed: {
      status: answers ? 'reachable' : 'unreachable',
      last_seen_at: answers ? '2026-05-01T02:00:00Z' : null,
      ...(failure === undefined ? {} : { error: failure }),
      ...(latencyMs === undefined ? {} : { latency_ms: latencyMs, tls_checked: true }),
    },
  }
}

const datastores = ({ name: server, datastores: all }: FleetServer): [Scope, ReadonlyArray<SourceFrame>] => [
  { resource: 'datastores', server },
  Object.entries(all).map(([name, { comment = '' }]) => ({
    _tag: 'datastore',
    server,
    facts: { name, path: `/mnt/${name}`, comment, maintenance: '', mount_status: '', backend_type: 'filesystem' },
    observed: {
      used_bytes: 1,
      total_bytes: 2,
      avail_bytes: 1,
      gc_status: 'ok',
      estimated_full_at: null,
      ...{
        gc_index_bytes: null,
        gc_disk_bytes: null,
        gc_removed_bytes: null,
        gc_pending_bytes: null,
        gc_bad_chunks: null,
        last_gc_at: null,
        last_gc_end: null,
      },
    },
  })),
]

function* jobs({ name: server, jobs: all = {} }: FleetServer, listing: Listing): Generator<Item> {
  for (const job_type of ['verify', 'prune', 'gc', 'sync', 'tape']) {
    const rows = (all[job_type] ?? []).map(
      (job_id): SourceFrame => ({
        _tag: 'job',
        server,
        facts: {
          job_type,
          job_id,
          store: 'tank',
          namespace: '',
          remote: '',
          schedule: 'daily',
          comment: '',
          disable: false,
          options: {},
        },
        observed: { last_run_state: 'ok', last_run_error: '', last_run_endtime: null, next_run: null },
      }),
    )
    yield* scopeFrames({ resource: 'jobs', server, job_type }, rows, listing)
  }
}

const timestamp = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000', '')

/** As PBS lists them: running ones first, then by their end. */
function* tasks({ name: server, tasks: all = [] }: FleetServer, since: number, listing: Listing): Generator<Item> {
  const requested = all.filter(({ start }) => start >= since)
  const rows = requested
    .toSorted((a, b) => (b.end ?? Number.POSITIVE_INFINITY) - (a.end ?? Number.POSITIVE_INFINITY))
    .map(
      ({ start, end, status = 'OK' }): SourceFrame => ({
        _tag: 'task',
        server,
        facts: {
          upid: `UPID:${server}:${start}`,
          node: server,
          worker_type: 'backup',
          worker_id: 'tank:vm/101',
          user: 'root@pam',
          starttime: timestamp(start),
          datastore_name: 'tank',
          namespace: '',
          backup_type: 'vm',
          backup_id: '101',
          job_type: '',
          job_id: '',
        },
        observed:
          end === undefined
            ? { endtime: null, outcome: 'running', status: '' }
            : { endtime: timestamp(end), outcome: status === 'OK' ? 'ok' : 'error', status },
      }),
    )
  yield* scopeFrames({ resource: 'tasks', server }, rows, listing)
}

function* snapshots(
  { name: server, datastores: all }: FleetServer,
  known: ReadonlySet<string>,
  listing: Listing,
): Generator<Item> {
  for (const [datastore, { namespaces }] of Object.entries(all)) {
    const paths = Object.keys(namespaces)
    const rows = paths.map(
      (path): SourceFrame => ({ _tag: 'namespace', server, facts: { datastore_name: datastore, path } }),
    )
    yield* scopeFrames({ resource: 'namespaces', server, datastore }, rows, listing)
    for (const [namespace, groups] of Object.entries(namespaces)) {
      const frames = Object.entries(groups).map(([id, hours]) => {
        const listDigest = listDigestOf({ server, datastore, namespace, id, hours })
        if (known.has(listDigest)) return unchangedGroup(server, listDigest, hours.length)
        const frame = groupFrame(server, datastore, namespace, id, hours)
        const digest = shortDigest(frame.digest)
        return known.has(digest) ? unchangedFrame(server, id, digest, hours.length) : frame
      })
      yield* scopeFrames({ resource: 'snapshots', server, datastore, namespace }, frames, listing)
    }
  }
}

/** What the list of groups says of a group: how many backups it has, and the newest. */
const listDigestOf = ({
  hours,
  ...place
}: Readonly<Record<'server' | 'datastore' | 'namespace' | 'id', string>> & {
  readonly hours: ReadonlyArray<number>
}): string => JSON.stringify([place, hours.length, Math.max(...hours)])

function unchangedGroup(server: string, listDigest: string, snapshots: number): SourceFrame {
  const frame: SourceFrame = { _tag: 'unchanged_group', server, listDigest }
  counts.set(frame, snapshots)
  return frame
}

function unchangedFrame(server: string, guest: string, digest: string, count: number): SourceFrame {
  const [backupType = '', backupId = ''] = guest.split('/')
  const frame: SourceFrame = { _tag: 'unchanged_frame', server, backupType, backupId, digest, count }
  counts.set(frame, count)
  return frame
}

/** A group's frame. */
export function groupFrame(
  server: string,
  datastore_name: string,
  namespace: string,
  guest: string,
  hours: ReadonlyArray<number>,
  change: Partial<SourceRow<'snapshot'>> = {},
): Extract<SourceFrame, { readonly _tag: 'group' }> {
  const [backup_type = '', backup_id = ''] = guest.split('/')
  const key = { datastore_name, namespace, backup_type, backup_id }
  const group: SourceGroup = {
    facts: { ...key, owner: 'root@pam', comment: '' },
    listDigest: listDigestOf({ server, datastore: datastore_name, namespace, id: guest, hours }),
    snapshots: hours.map((hour) => ({
      backup_time: backupTime(hour),
      size_bytes: 1000 + hour,
      owner: 'root@pam',
      protected: false,
      comment: '',
      verification_state: 'ok',
      verification_upid: '',
      crypt_mode: 'none',
      key_fingerprint: '',
      finished: true,
      manifest_files: [{ filename: 'drive.img.fidx', size: 1000 + hour, crypt_mode: 'none' }],
      other_files: [],
      ...change,
    })),
  }
  const digest = hash('sha256', JSON.stringify(group), 'hex')
  const frame = { _tag: 'group', server, digest, parse: Effect.succeed(group) } as const
  counts.set(frame, hours.length)
  return frame
}

/** A `failed` frame. */
export const failedFrame = (
  scope: Scope,
  code: Extract<SourceFrame, { readonly _tag: 'failed' }>['code'],
): SourceFrame => ({ _tag: 'failed', scope, code, message: `${code} of the test`, retryable: false })
