import { Effect, Ref, type Scope, Stream } from 'effect'
import { type PbsConnection, urlPart } from './connection.ts'
import { PbsGroup, PbsNamespace, PbsSnapshot } from './content-schemas.ts'
import {
  PbsDatastoreConfig,
  PbsDatastoreListItem,
  PbsDatastoreStatus,
  PbsDatastoreUsage,
  PbsGcStatus,
} from './datastore-schemas.ts'
import { decodeItem, printableText, UnexpectedShape } from './decode-item.ts'
import { PbsPruneJob, PbsSyncJob, PbsTapeJob, PbsTask, PbsVerifyJob } from './job-schemas.ts'
import { failureOf, isUnknownParameter, type PbsError } from './pbs-error.ts'
import { makeTransport, type PbsTransport, type TransportOptions } from './pbs-transport.ts'
import { capabilitiesOf, type PbsCapabilities, parseRelease } from './pbs-version.ts'
import { plainSnapshot } from './plain-snapshot.ts'
import { type PbsProbe, probeServer } from './probe.ts'
import {
  countedSnapshots,
  groupList,
  isReadable,
  type ListRow,
  namespaceList,
  permissionsBytes,
  readData,
  readObject,
  readRows,
  readTimedObject,
  streamedList,
  streamRows,
  taskList,
} from './read-list.ts'
import { PbsAclEntry, PbsNodeStatus, PbsPermissions, PbsTime, PbsVersion } from './server-schemas.ts'

/** Which snapshots to list: one namespace, or one group of it when type and id are given. */
export interface PbsSnapshotQuery {
  readonly store: string
  /** The root is the empty string. */
  readonly ns: string
  readonly backupType?: string
  readonly backupId?: string
  /**
   * The sum of `backup-count`: a list that is far longer fails with `protocol`. Left out: it is not
   * known.
   */
  readonly counted?: number
  /** The caller holds the whole list, which may then have 32 MiB at most. */
  readonly held?: boolean
}

/** A list, with an `UnreadableRow` in the place of each row that cannot be read. */
type Rows<T> = Effect.Effect<ReadonlyArray<ListRow<T>>, PbsError>

/** The reads of an inventory on one PBS, in PBS's own words. Every method only GETs. */
export interface PbsClient {
  readonly connection: PbsConnection
  readonly version: () => Effect.Effect<PbsVersion, PbsError>
  /** The version, and how long the request took in milliseconds; waiting for a permit does not count. */
  readonly timedVersion: () => Effect.Effect<{ readonly version: PbsVersion; readonly millis: number }, PbsError>
  readonly time: () => Effect.Effect<PbsTime, PbsError>
  /** The time, and how long the request took in milliseconds, as `timedVersion`. */
  readonly timedTime: () => Effect.Effect<{ readonly time: PbsTime; readonly millis: number }, PbsError>
  /** The privileges of this token, for all paths or for one. */
  readonly permissions: (path?: string) => Effect.Effect<PbsPermissions, PbsError>
  /** All entries with Sys.Audit on `/access/acl`; without it only those of tokens the caller owns. */
  readonly acl: () => Rows<PbsAclEntry>
  readonly nodeStatus: () => Effect.Effect<PbsNodeStatus, PbsError>
  readonly datastores: () => Rows<PbsDatastoreListItem>
  readonly datastoreConfigs: () => Rows<PbsDatastoreConfig>
  readonly datastoreUsage: () => Rows<PbsDatastoreUsage>
  readonly datastoreStatus: (store: string) => Effect.Effect<PbsDatastoreStatus, PbsError>
  /** One row per datastore that can be opened. PBS up to 3.1 is asked store by store. */
  readonly gcStatuses: () => Rows<PbsGcStatus>
  /** Root first. Read whole before the first element, so calls made while consuming never wait for this one. */
  readonly namespaces: (store: string) => Stream.Stream<ListRow<PbsNamespace>, PbsError>
  /** The groups of one namespace. Read whole before the first element, as `namespaces`. */
  readonly groups: (store: string, ns: string) => Stream.Stream<ListRow<PbsGroup>, PbsError>
  /** In no order. Holds one of the connection's `concurrency` requests until it ends or its consumer does. */
  readonly snapshots: (query: PbsSnapshotQuery) => Stream.Stream<ListRow<PbsSnapshot>, PbsError>
  readonly verifyJobs: () => Rows<PbsVerifyJob>
  /** Empty before PBS 2.3, which has none. */
  readonly pruneJobs: () => Rows<PbsPruneJob>
  /** Pull, push (PBS 3.3 and later) and local jobs. */
  readonly syncJobs: () => Rows<PbsSyncJob>
  readonly tapeJobs: () => Rows<PbsTapeJob>
  /**
   * The tasks that started at `since` (epoch seconds) or later, running ones first; without it all
   * that PBS still has. One request, of the connection's `concurrency`, lists all: page by page, a
   * task that ends in between could be missing or listed twice.
   */
  readonly tasks: (query: { readonly since?: number | undefined }) => Stream.Stream<ListRow<PbsTask>, PbsError>
  /** The certificate of the server, whether it may be trusted, and whether the token works there. */
  readonly probe: () => Effect.Effect<PbsProbe, PbsError>
}

/** Opens a client; its sockets close with the scope. Nothing is sent before the first call. */
export const makePbsClient = (
  connection: PbsConnection,
  options?: TransportOptions,
): Effect.Effect<PbsClient, never, Scope.Scope> =>
  Effect.gen(function* () {
    const transport = yield* makeTransport(connection, options)
    const known = yield* Ref.make<PbsVersion | null>(null)

    const timedVersion = Effect.fn('PbsClient.version')(() =>
      readTimedObject(transport, PbsVersion, '/version').pipe(
        Effect.tap(({ object }) => Ref.set(known, object)),
        Effect.map(({ object: version, millis }) => ({ version, millis })),
      ),
    )
    const version = () => Effect.map(timedVersion(), (timed) => timed.version)
    const timedTime = Effect.fn('PbsClient.time')(() =>
      Effect.map(readTimedObject(transport, PbsTime, '/nodes/localhost/time'), ({ object: time, millis }) => ({
        time,
        millis,
      })),
    )
    const capabilities = Effect.gen(function* () {
      const seen = (yield* Ref.get(known)) ?? (yield* version())
      return capabilitiesOf(parseRelease(seen.version, seen.release))
    })
    /**
     * An endpoint that a release may be too old for. A 404 of a newer one is a failure (a proxy,
     * say), never an empty list.
     */
    const unlessTooOld = <A>(read: Effect.Effect<A, PbsError>, since: keyof PbsCapabilities, fallback: A) =>
      Effect.catchIf(read, isUnsupported, (error) =>
        Effect.flatMap(capabilities, (able) => (able[since] ? Effect.fail(error) : Effect.succeed(fallback))),
      )
    const syncJobs = Effect.fn('PbsClient.syncJobs')(function* () {
      const plain = readRows(transport, PbsSyncJob, '/admin/sync')
      if (!(yield* capabilities).syncDirection) return yield* plain
      return yield* readRows(transport, PbsSyncJob, '/admin/sync', { 'sync-direction': 'all' }).pipe(
        Effect.catchIf(
          (error) => isUnknownParameter(error.status, error.detail),
          () => plain,
        ),
      )
    })
    const namespaces = (store: string) =>
      Stream.fromIterableEffect(
        // PBS before 2.2 has the root namespace alone.
        unlessTooOld(
          readRows(transport, PbsNamespace, `${storePath(store)}/namespace`, {}, namespaceList),
          'namespaces',
          [rootNamespace],
        ),
      )
    const groups = (store: string, ns: string) =>
      Stream.fromIterableEffect(
        readRows(transport, PbsGroup, `${storePath(store)}/groups`, { ns: nsParameter(ns) }, groupList),
      )
    const snapshots = (query: PbsSnapshotQuery) => {
      const path = `${storePath(query.store)}/snapshots`
      const open = transport.open(path, {
        ns: nsParameter(query.ns),
        'backup-type': query.backupType,
        'backup-id': query.backupId,
      })
      const limits = query.counted === undefined ? streamedList : countedSnapshots(query.counted, query.held === true)
      const again = Effect.retry(open, { times: 1, while: isVanishedWhileListing })
      return streamRows(transport, again, { schema: PbsSnapshot, plain: plainSnapshot }, path, limits)
    }
    const tasks = ({ since }: { readonly since?: number | undefined }) => {
      const path = '/nodes/localhost/tasks'
      // Without a limit PBS gives 50; 0 is all.
      const open = transport.open(path, { limit: '0', since: since === undefined ? null : String(since) })
      return streamRows(transport, open, { schema: PbsTask }, path, taskList)
    }

    return {
      connection,
      version,
      timedVersion,
      time: () => Effect.map(timedTime(), ({ time }) => time),
      timedTime,
      permissions: Effect.fn('PbsClient.permissions')((path?: string) => readPermissions(transport, path)),
      acl: Effect.fn('PbsClient.acl')(() => readRows(transport, PbsAclEntry, '/access/acl')),
      nodeStatus: Effect.fn('PbsClient.nodeStatus')(() =>
        readObject(transport, PbsNodeStatus, '/nodes/localhost/status'),
      ),
      datastores: Effect.fn('PbsClient.datastores')(() =>
        readRows(transport, PbsDatastoreListItem, '/admin/datastore'),
      ),
      datastoreConfigs: Effect.fn('PbsClient.datastoreConfigs')(() =>
        readRows(transport, PbsDatastoreConfig, '/config/datastore'),
      ),
      datastoreUsage: Effect.fn('PbsClient.datastoreUsage')(() =>
        readRows(transport, PbsDatastoreUsage, '/status/datastore-usage'),
      ),
      datastoreStatus: Effect.fn('PbsClient.datastoreStatus')((store: string) =>
        readObject(transport, PbsDatastoreStatus, `${storePath(store)}/status`),
      ),
      gcStatuses: Effect.fn('PbsClient.gcStatuses')(() =>
        readGcStatuses(
          transport,
          Effect.map(capabilities, ({ adminGc }) => adminGc),
        ),
      ),
      namespaces,
      groups,
      snapshots,
      verifyJobs: Effect.fn('PbsClient.verifyJobs')(() => readRows(transport, PbsVerifyJob, '/admin/verify')),
      pruneJobs: Effect.fn('PbsClient.pruneJobs')(() =>
        unlessTooOld(readRows(transport, PbsPruneJob, '/admin/prune'), 'pruneJobs', []),
      ),
      syncJobs,
      tapeJobs: Effect.fn('PbsClient.tapeJobs')(() => readRows(transport, PbsTapeJob, '/tape/backup')),
      tasks,
      probe: Effect.fn('PbsClient.probe')(() => probeServer(connection, version())),
    }
  })

const storePath = (store: string): string => `/admin/datastore/${urlPart(store)}`

/** The root is the default, and servers before 2.2 do not know the parameter. */
const nsParameter = (ns: string): string | null => (ns === '' ? null : ns)

const rootNamespace = { ns: '', comment: null, unsafeIntegers: [] }

const isUnsupported = (error: PbsError): boolean => error.reason === 'unsupported'

/**
 * A group that a prune removes during the walk fails the whole list with this text; the next walk
 * no longer meets it.
 */
const isVanishedWhileListing = (error: PbsError): boolean =>
  error.reason === 'not_found' && error.status === 400 && !error.detail.startsWith('no such datastore')

/**
 * The garbage collection of every datastore that can be opened, for all versions. PBS 3.2 brought
 * both `/admin/gc` and the state of the last run.
 *
 * @param reportsStates - Whether the release tells how the last run ended.
 */
const readGcStatuses = (
  transport: PbsTransport,
  reportsStates: Effect.Effect<boolean, PbsError>,
): Effect.Effect<ReadonlyArray<ListRow<PbsGcStatus>>, PbsError> =>
  readRows(transport, PbsGcStatus, '/admin/gc').pipe(
    Effect.catchIf(
      (error) => error.reason === 'unsupported',
      () => Effect.flatMap(reportsStates, (reports) => readStoreByStore(transport, reports)),
    ),
  )

/** PBS up to 3.1 has no list: the schedule comes from the configuration, the numbers from one request per store. */
const readStoreByStore = (transport: PbsTransport, reportsStates: boolean) =>
  Effect.gen(function* () {
    const stores = yield* readRows(transport, PbsDatastoreConfig, '/config/datastore')
    const rows = yield* Effect.forEach(stores.filter(isReadable), (store) =>
      readOne(transport, store.name, { schedule: store['gc-schedule'], reportsStates }),
    )
    return rows.filter((row) => row !== null)
  })

const readOne = (
  transport: PbsTransport,
  store: string,
  { schedule, reportsStates }: { readonly schedule: string | null; readonly reportsStates: boolean },
) => {
  const path = `/admin/datastore/${urlPart(store)}/gc`
  return readData(transport, path).pipe(
    Effect.flatMap((data) =>
      Effect.try({
        try: () => {
          const row = decodeItem(PbsGcStatus, { schedule, ...Object(data), store })
          return reportsStates ? row : withStateOfLastSuccess(row)
        },
        catch: (error) => failureOf(transport.connection, path, error),
      }),
    ),
    // As the list of newer versions does: a store that cannot be opened has no row.
    Effect.catchIf(
      (error) => error.reason === 'maintenance' || error.reason === 'not_mounted' || error.reason === 'not_found',
      () => Effect.succeed(null),
    ),
  )
}

/** Before 3.2 there is only a UPID: it names a successful run, and an active run does not show. */
const withStateOfLastSuccess = (row: PbsGcStatus): PbsGcStatus =>
  row.upid === null ? row : { ...row, 'last-run-state': 'OK' }

/** The privileges of the token itself: path, privilege, whether it propagates. */
const readPermissions = (transport: PbsTransport, path?: string): Effect.Effect<PbsPermissions, PbsError> => {
  const endpoint = '/access/permissions'
  return readData(transport, endpoint, { path }, permissionsBytes).pipe(
    Effect.flatMap((data) => {
      const parsed = PbsPermissions.safeParse(withoutOddPaths(data))
      return parsed.success
        ? Effect.succeed(parsed.data)
        : Effect.fail(
            failureOf(transport.connection, endpoint, new UnexpectedShape('', 'not a map of paths to privileges')),
          )
    }),
  )
}

/** A path that no text can show concerns no row that can be read, for its name is left out too. */
const withoutOddPaths = (data: unknown): unknown =>
  typeof data === 'object' && data !== null && !Array.isArray(data)
    ? Object.fromEntries(Object.entries(data).filter(([path]) => printableText(path) === path))
    : data
