import {
  CurrentMeter,
  isReadable,
  type ListRow,
  type PbsClient,
  type PbsDatastoreConfig,
  type PbsDatastoreListItem,
  type PbsDatastoreStatus,
  type PbsDatastoreUsage,
  type PbsGcStatus,
  type PbsGroup,
  type PbsJob,
  type PbsJobType,
  type PbsRequestFailed,
  type PbsSnapshot,
  type PbsTask,
  type PbsTime,
  type PbsVersion,
  type RequestMeter,
} from '@netbox-pbs/pbs-client'
import { Chunk, Clock, Effect, Stream } from 'effect'
import { type AclEntry, addHiddenPaths, type Permissions, readsAcl } from '../permissions/permissions.ts'
import { datetimeOf } from '../scopes/facts.ts'
import { type ScopeFailed, scopeFailure } from '../scopes/scope-failed.ts'
import type { PausedReads } from './paused-reads.ts'

type Read<A> = Effect.Effect<A, ScopeFailed>

/** A list with an `UnreadableRow` in the place of each row that cannot be read. */
type ReadRows<A> = Read<ReadonlyArray<ListRow<A>>>

/**
 * The reads of one PBS that the gateway makes. Each is one list, bounded except for that of the
 * tasks, and holds a permit of the server and of the whole gateway while it is made.
 */
export interface PbsReader {
  /** Requests that this reader has sent. */
  readonly requestsSent: () => number
  /** With the time until the answer in milliseconds; waiting for a permit does not count. */
  readonly version: Read<PbsVersion & { readonly latencyMs: number }>
  /** With how far its clock is ahead of ours; null when its time cannot be true. */
  readonly time: Read<PbsTime & { readonly offsetSeconds: number | null }>
  /** Includes paths on which an ACL entry withholds everything; they have no privileges. */
  readonly permissions: Read<Permissions>
  readonly datastores: ReadRows<PbsDatastoreListItem>
  readonly datastoreConfigs: ReadRows<PbsDatastoreConfig>
  readonly datastoreUsages: ReadRows<PbsDatastoreUsage>
  /** The size of one datastore; all zero when the token may not see it. */
  readonly datastoreStatus: (datastore: string) => Read<PbsDatastoreStatus>
  readonly gcStates: ReadRows<PbsGcStatus>
  /** Paths; the root is the empty one. */
  readonly namespaces: (datastore: string) => ReadRows<string>
  readonly groups: (datastore: string, namespace: string) => ReadRows<PbsGroup>
  /**
   * Of a whole namespace, or of one group in it. `counted` is the sum of `backup-count`; a list far
   * beyond it fails with `protocol`.
   */
  readonly snapshots: (
    datastore: string,
    namespace: string,
    group: { readonly type: string; readonly id: string } | undefined,
    counted: number,
  ) => ReadRows<PbsSnapshot>
  /**
   * Of a whole namespace, group by group; `counted` as above. Its permit is held until the stream ends.
   */
  readonly snapshotsAsTheyCome: (
    datastore: string,
    namespace: string,
    counted: number,
  ) => Stream.Stream<ListRow<PbsSnapshot>, ScopeFailed>
  /**
   * Those that started at `since` (epoch seconds) or later. The list may have any length; its
   * permit is held until the stream ends.
   */
  readonly tasks: (since: number | undefined) => Stream.Stream<ListRow<PbsTask>, ScopeFailed>
  readonly jobs: (type: PbsJobType) => ReadRows<PbsJob>
}

/** The parts of a reader. */
export interface ReaderParts {
  readonly client: PbsClient
  /** The requests to this server that hung, and those that it refused the token for; they outlive the client. */
  readonly hung: PausedReads
  readonly refused: PausedReads
}

/** Who reads: a reader does not repeat a request that hung in `run`, and `meter` counts its requests. */
interface ReaderOf {
  readonly run: string | undefined
  readonly meter: RequestMeter
}

/** A reader on a client. */
export const clientReader = ({ client, hung, refused }: ReaderParts, { run, meter }: ReaderOf): PbsReader => {
  let sent = 0
  const counting: RequestMeter = {
    sent: (inFlight) => {
      sent += 1
      meter.sent(inFlight)
    },
    waited: meter.waited,
  }
  const metered = <A>(answer: Effect.Effect<A, PbsRequestFailed>) =>
    Effect.provideService(Effect.mapError(answer, scopeFailure), CurrentMeter, counting)
  const meteredStream = <A>(rows: Stream.Stream<A, PbsRequestFailed>) =>
    Stream.provideService(Stream.mapError(rows, scopeFailure), CurrentMeter, counting)
  const read = <A>(what: string, answer: Effect.Effect<A, PbsRequestFailed>) =>
    hung.ask(what, { run, pauses: false }, metered(answer))
  /** One of the first requests of a run, which show whether the token works. */
  const login = <A>(what: string, answer: Effect.Effect<A, PbsRequestFailed>) =>
    refused.ask(what, { run, pauses: true }, read(what, answer))
  /** A list that PBS reads from the disks of its datastores: after one hung, it is not requested for a while. */
  const ofDisks = <A>(what: string, answer: Effect.Effect<A, PbsRequestFailed>) =>
    hung.ask(what, { run, pauses: true }, metered(answer))
  const whole = <A>(rows: Stream.Stream<A, PbsRequestFailed>) =>
    Effect.map(Stream.runCollect(rows), Chunk.toReadonlyArray)
  return {
    requestsSent: () => sent,
    version: login(
      '/version',
      Effect.map(client.timedVersion(), ({ version, millis }) => ({ ...version, latencyMs: Math.round(millis) })),
    ),
    time: read(
      '/nodes/localhost/time',
      Effect.flatMap(client.timedTime(), ({ time, millis }) =>
        Effect.map(Clock.currentTimeMillis, (now) => ({
          ...time,
          offsetSeconds: clockOffset(time.time, { now, millis }),
        })),
      ),
    ),
    permissions: Effect.flatMap(login('/access/permissions', client.permissions()), (permissions) =>
      readsAcl(permissions)
        ? Effect.map(read('/access/acl', client.acl()), (entries) =>
            addHiddenPaths(permissions, entries.flatMap(entryOf), client.connection.tokenId),
          )
        : Effect.succeed(permissions),
    ),
    datastores: ofDisks('/admin/datastore', client.datastores()),
    datastoreConfigs: ofDisks('/config/datastore', client.datastoreConfigs()),
    datastoreUsages: ofDisks('/status/datastore-usage', client.datastoreUsage()),
    datastoreStatus: (datastore) => ofDisks(`/admin/datastore/${datastore}/status`, client.datastoreStatus(datastore)),
    gcStates: ofDisks('/admin/gc', client.gcStatuses()),
    namespaces: (datastore) =>
      ofDisks(
        `/admin/datastore/${datastore}/namespace`,
        Effect.map(whole(client.namespaces(datastore)), (rows) => rows.map((row) => (isReadable(row) ? row.ns : row))),
      ),
    groups: (datastore, namespace) =>
      ofDisks(
        `/admin/datastore/${datastore}/groups${inNamespace(namespace)}`,
        whole(client.groups(datastore, namespace)),
      ),
    snapshots: (store, ns, group, counted) =>
      ofDisks(
        `/admin/datastore/${store}/snapshots${group === undefined ? '' : ` of group ${group.type}/${group.id}`}${inNamespace(ns)}`,
        whole(
          client.snapshots({
            store,
            ns,
            counted,
            held: true,
            ...(group === undefined ? {} : { backupType: group.type, backupId: group.id }),
          }),
        ),
      ),
    snapshotsAsTheyCome: (store, ns, counted) =>
      hung.askStream(
        `/admin/datastore/${store}/snapshots${inNamespace(ns)}`,
        { run, pauses: true },
        meteredStream(client.snapshots({ store, ns, counted })),
      ),
    tasks: (since) =>
      hung.askStream('/nodes/localhost/tasks', { run, pauses: false }, meteredStream(client.tasks({ since }))),
    jobs: (type) => {
      switch (type) {
        case 'verify':
          return read('/admin/verify', client.verifyJobs())
        case 'prune':
          return read('/admin/prune', client.pruneJobs())
        case 'sync':
          return read('/admin/sync', client.syncJobs())
        case 'tape':
          return read('/tape/backup', client.tapeJobs())
      }
    },
  }
}

/**
 * How far a clock is ahead of ours, in seconds; negative: behind. It was read in the middle of a
 * request that ended `now` and took `millis`; what its whole seconds and the request leave open counts
 * as none. Null for a time that no clock has.
 */
export const clockOffset = (
  seconds: number,
  { now, millis }: { readonly now: number; readonly millis: number },
): number | null => {
  const offset = seconds * 1000 - (now - millis / 2)
  if (Math.abs(offset) <= 1000 + millis / 2) return 0
  return datetimeOf(seconds) === null ? null : Math.round(offset / 1000)
}

const inNamespace = (namespace: string): string => (namespace === '' ? '' : ` of namespace ${namespace}`)

/** An entry that cannot be read may concern the caller: its path counts as withheld. */
const entryOf = (row: ListRow<AclEntry>): ReadonlyArray<AclEntry> => {
  if (isReadable(row)) return [row]
  const path: unknown = typeof row.value === 'object' && row.value !== null ? Reflect.get(row.value, 'path') : undefined
  return typeof path === 'string' ? [{ path, ugid: '', ugid_type: 'group' }] : []
}
