import { mostUsagePoints, sizeFields, type UsagePoint, usageSlotSeconds } from '@netbox-pbs/core'
import {
  allowsReading,
  type PbsDatastoreConfig,
  type PbsDatastoreListItem,
  type PbsDatastoreUsage,
  type PbsGcStatus,
  parseBackendType,
  parseMaintenance,
  parseUpid,
} from '@netbox-pbs/pbs-client'
import type { DatastoreFrame } from '@netbox-pbs/proxbox-client/contract'
import { Effect, Option, Stream } from 'effect'
import { datastorePath, type Permissions, privilegesOn } from '../permissions/permissions.ts'
import {
  type ColumnsOfFields,
  datetimeOf,
  firstLine,
  lastRunState,
  storable,
  unknownColumns,
  withUnknown,
} from './facts.ts'
import {
  additionNote,
  fieldNotes,
  type Note,
  observedOnly,
  type ReadableRows,
  readableRows,
  unknownOf,
} from './note.ts'
import { type Line, type Listing, openScope } from './open-scope.ts'
import { ScopeFailed } from './scope-failed.ts'
import type { ServerSession } from './server-session.ts'

/** The datastores of a server as the lines of their scope. */
export const datastoresScopes = (session: ServerSession): Stream.Stream<Line> =>
  Stream.unwrap(openScope(session, { resource: 'datastores', server: session.endpoint.name }, listDatastores(session)))

/** The datastores of a server in its two complete lists. */
export interface Stores {
  /** Every datastore that the caller sees. */
  readonly listed: ReadableRows<PbsDatastoreListItem>
  /** Those of them on which it has Datastore.Audit. */
  readonly configs: ReadableRows<PbsDatastoreConfig>
}

/**
 * Reads `/admin/datastore` and `/config/datastore`, which PBS fills from one file. If only one of
 * them has a datastore, it was created or removed in between, or one list was cut: both are read
 * once more, and if they still differ the scope fails.
 */
export const readStores = (session: ServerSession): Effect.Effect<Stores, ScopeFailed> =>
  Effect.gen(function* () {
    const { endpoint, pbs } = session
    const permissions = yield* session.permissionsBefore
    const both = Effect.all(
      {
        listed: Effect.map(pbs.datastores, (rows) => readableRows('datastore', rows)),
        configs: Effect.map(pbs.datastoreConfigs, (rows) => readableRows('configuration of datastore', rows)),
      },
      { concurrency: 'unbounded' },
    )
    const first = yield* both
    if (agree(first, permissions)) return first
    const again = yield* both
    if (agree(again, permissions)) return again
    return yield* new ScopeFailed({
      code: 'protocol',
      message: `${endpoint.name} lists other datastores than its configuration has, twice; datastores may be coming or going, try again`,
      retryable: true,
    })
  })

/** Whether the two lists agree, except for as many datastores as one has unreadable rows. */
const agree = ({ listed, configs }: Stores, permissions: Permissions): boolean => {
  const names = new Set(listed.rows.map(({ store }) => store))
  const configured = new Set(configs.rows.map(({ name }) => name))
  const notListed = configs.rows.filter(({ name }) => !names.has(name))
  const notConfigured = listed.rows.filter(({ store }) => !configured.has(store) && audits(permissions, store))
  return notListed.length <= listed.unreadable.length && notConfigured.length <= configs.unreadable.length
}

const audits = (permissions: Permissions, store: string): boolean =>
  privilegesOn(permissions, datastorePath(store)).has('Datastore.Audit')

/** Lists every visible datastore with its configuration, usage and garbage collection. */
const listDatastores = (session: ServerSession): Effect.Effect<Listing<DatastoreFrame>, ScopeFailed> =>
  Effect.gen(function* () {
    const { endpoint, pbs } = session
    const [{ listed, configs }, usages, gc] = yield* Effect.all(
      [
        readStores(session),
        observedOnly('usage', pbs.datastoreUsages, 'stays as last known'),
        observedOnly('state of garbage collection', pbs.gcStates),
      ],
      { concurrency: 'unbounded' },
    )
    const names = listed.rows.map(({ store }) => store).sort()
    const configOf = new Map(configs.rows.map((config) => [config.name, config]))
    const sized = listed.rows.filter((row) => backendType(row, configOf.get(row.store)) !== 's3')
    const lacking = sized.filter(({ store }) => !usages.rows.some((usage) => usage.store === store))
    const own = yield* ownUsages(session, lacking, usages.failure)
    const unsized = sized.map(({ store }) => store).filter((store) => !own.has(store))
    const items = [...listed.rows]
      .sort((a, b) => (a.store < b.store ? -1 : 1))
      .flatMap((row): ReadonlyArray<DatastoreFrame | Note> => {
        const name = row.store
        const configured = configOf.get(name)
        const usage = usages.rows.find(({ store }) => store === name) ?? own.get(name)
        return [
          ...fieldNotes(`datastore ${name}`, row),
          ...(configured === undefined ? [] : fieldNotes(`configuration of datastore ${name}`, configured)),
          ...(usage === undefined ? [] : fieldNotes(`datastore ${name}`, usage)),
          ...(configured === undefined && configs.unreadable.length === 0 ? [pathHidden(name)] : []),
          datastoreFrame({
            server: endpoint.name,
            listed: row,
            configured,
            usage,
            gc: gc.rows.find(({ store }) => store === name),
          }),
        ]
      })
    return {
      items: [
        ...listed.notes,
        ...configs.unreadable.map((row) => additionNote('configuration of datastore', row)),
        ...usages.notes(unsized.sort()),
        ...(usages.failure === null || own.size === 0 ? [] : [unknownOf('forecast', [...own.keys()], usages.failure)]),
        ...gc.notes(names),
        ...items,
      ],
      pathOf: ({ name }) => datastorePath(name),
    }
  })

/** Failures of a list after which nothing else of the server answers either. */
const ofServer: ReadonlySet<ScopeFailed['code']> = new Set([
  'unreachable',
  'unauthorized',
  'tls_fingerprint_mismatch',
  'tls_untrusted',
])

/**
 * The sizes of datastores that the list of all sizes lacks, with one request each, because PBS
 * fails that list for one broken disk. A datastore that does not answer, or that the token may not
 * see, is left out.
 */
const ownUsages = (
  { pbs }: ServerSession,
  listed: ReadonlyArray<PbsDatastoreListItem>,
  failure: ScopeFailed | null,
): Effect.Effect<ReadonlyMap<string, PbsDatastoreUsage>> =>
  Effect.gen(function* () {
    if (failure !== null && ofServer.has(failure.code)) return new Map()
    const open = listed.filter((row) => closedBecause(row) === null).map(({ store }) => store)
    const read = yield* Effect.forEach(open, (store) => Effect.option(pbs.datastoreStatus(store)), {
      concurrency: 'unbounded',
    })
    return new Map(
      open.flatMap((store, i) => {
        const status = Option.getOrUndefined(read[i] ?? Option.none())
        return status === undefined || !isPositive(status.total) ? [] : [[store, { ...nothingElse, ...status, store }]]
      }),
    )
  })

/** The fields that only the list of all datastores has. */
const nothingElse = {
  ...{ 'mount-status': null, 'estimated-full-date': null, history: null, 'history-start': null, 'history-delta': null },
  ...{ error: null, 'gc-status': null },
} as const

const pathHidden = (name: string): Note => ({
  code: 'facts_hidden',
  message: `path of datastore ${name} is hidden: grant Datastore.Audit on /datastore/${name} to both the token and its user`,
})

/** One datastore in the four lists of PBS. Only the first has every visible one. */
export interface DatastoreParts {
  readonly server: string
  readonly listed: PbsDatastoreListItem
  readonly configured: PbsDatastoreConfig | undefined
  readonly usage: PbsDatastoreUsage | undefined
  readonly gc: PbsGcStatus | undefined
}

/** One datastore out of the four lists. Without its configuration (no Datastore.Audit) its path is unknown. */
export const datastoreFrame = ({ server, listed, configured, usage, gc }: DatastoreParts): DatastoreFrame => ({
  frame: 'datastore',
  server,
  name: listed.store,
  path: storable(configured?.path ?? ''),
  comment: firstLine(listed.comment ?? configured?.comment ?? null),
  maintenance: maintenanceText(listed.maintenance),
  mount_status: listed['mount-status'] ?? '',
  backend_type: backendType(listed, configured),
  ...withUnknown([
    ...unknownColumnsOf(listed, configured),
    ...unknownSizes(listed, configured, usage),
    ...unknownGc(gc, usage),
  ]),
  observed: {
    ...(backendType(listed, configured) === 's3' ? unknownSize : sizeOf(usage)),
    gc_status: gcStatusOf(gc, usage),
    ...gcNumbersOf(gc, usage),
  },
})

/** The list names the type since PBS 4.2; a datastore in S3 has it in its configuration since 4.0. */
const backendType = (listed: PbsDatastoreListItem, configured: PbsDatastoreConfig | undefined): string =>
  listed['backend-type'] ?? parseBackendType(configured?.backend) ?? ''

/** Of a datastore in S3 PBS measures only the disk of its cache, which is not how full the store is. */
const unknownSize = { used_bytes: null, total_bytes: null, avail_bytes: null, estimated_full_at: null } as const

const sizeOf = (usage: PbsDatastoreUsage | undefined) => ({
  used_bytes: usage?.used ?? null,
  total_bytes: usage?.total ?? null,
  avail_bytes: usage?.avail ?? null,
  estimated_full_at: datetimeOf(usage?.['estimated-full-date'] ?? null),
  ...usageOf(usage),
})

/** Sizes that could not be read now. A datastore in S3 is known to have none. */
const unknownSizes = (
  listed: PbsDatastoreListItem,
  configured: PbsDatastoreConfig | undefined,
  usage: PbsDatastoreUsage | undefined,
): ReadonlyArray<string> =>
  backendType(listed, configured) !== 's3' && (usage?.total ?? null) === null ? sizeFields : []

const listedColumns: ColumnsOfFields = {
  comment: ['comment'],
  maintenance: ['maintenance'],
  'mount-status': ['mount_status'],
  'backend-type': ['backend_type'],
}

const unknownColumnsOf = (
  listed: PbsDatastoreListItem,
  configured: PbsDatastoreConfig | undefined,
): ReadonlyArray<string> => {
  const odd = unknownColumns(configured?.oddFields, { path: ['path'], comment: ['comment'] })
  const configuredComment = (configured?.comment ?? null) !== null
  return [
    ...(configured === undefined || odd.includes('path') ? ['path'] : []),
    // Both lists have the same comment.
    ...unknownColumns(listed.oddFields, listedColumns).filter((column) => column !== 'comment' || !configuredComment),
  ]
}

/**
 * The numbers of the last successful garbage collection. Two lists have them; that of all
 * collections lacks a store that cannot be opened.
 */
const gcNumbersOf = (gc: PbsGcStatus | undefined, usage: PbsDatastoreUsage | undefined) => {
  const numbers = gc ?? usage?.['gc-status'] ?? null
  const ran = numbers === null || numbers.upid === null ? null : numbers
  return {
    gc_index_bytes: sizeOrNull(ran?.['index-data-bytes']),
    gc_disk_bytes: sizeOrNull(ran?.['disk-bytes']),
    gc_removed_bytes: sizeOrNull(ran?.['removed-bytes']),
    gc_pending_bytes: sizeOrNull(ran?.['pending-bytes']),
    gc_bad_chunks: sizeOrNull(ran?.['still-bad']),
    last_gc_at: datetimeOf(
      (ran?.upid === undefined || ran.upid === null ? null : parseUpid(ran.upid))?.startTime ?? null,
    ),
    last_gc_end: ran === null ? null : datetimeOf(gc?.['last-run-endtime'] ?? null),
  }
}

const sizeOrNull = (value: number | null | undefined): number | null => (value == null || value < 0 ? null : value)

/** The numbers stay as they were known while neither list has them. */
const unknownGc = (gc: PbsGcStatus | undefined, usage: PbsDatastoreUsage | undefined): ReadonlyArray<string> => {
  if (gc !== undefined) return []
  const numbers = [
    'gc_index_bytes',
    'gc_disk_bytes',
    'gc_removed_bytes',
    'gc_pending_bytes',
    'gc_bad_chunks',
    'last_gc_at',
  ]
  return (usage?.['gc-status'] ?? null) === null ? [...numbers, 'last_gc_end'] : ['last_gc_end']
}

const usageOf = (usage: PbsDatastoreUsage | undefined): Pick<DatastoreFrame['observed'], 'usage'> => {
  const points = usage === undefined ? [] : usagePoints(usage)
  return points.length === 0 ? {} : { usage: points }
}

/** `offline: disk at vault`; blank without a mode. */
const maintenanceText = (property: string | null): string => {
  const maintenance = parseMaintenance(property)
  if (maintenance === null) return ''
  return maintenance.message === null ? maintenance.mode : `${maintenance.mode}: ${storable(maintenance.message)}`
}

/**
 * The state of garbage collection, from the UPID of the last successful run and the end of the last
 * run, which PBS keeps in two files: a UPID without an end is an active run, neither means no run
 * yet, with a schedule `pending`. A store that cannot be opened is not in the list, so only an
 * earlier success is known of it.
 */
export const gcStatusOf = (gc: PbsGcStatus | undefined, usage: PbsDatastoreUsage | undefined): string => {
  if (gc === undefined) return (usage?.['gc-status']?.upid ?? null) === null ? 'unknown' : 'ok'
  const last = lastRunState(gc['last-run-state'], gc.upid)
  switch (last) {
    case 'warning':
      return 'ok'
    case 'never':
      return (gc.schedule ?? '') === '' ? 'unknown' : 'pending'
    default:
      return last
  }
}

/** Why a datastore cannot be read, from its row in the list; null when it can. */
export const closedBecause = (
  listed: PbsDatastoreListItem,
): { readonly code: 'maintenance' | 'not_mounted'; readonly message: string } | null => {
  if (!allowsReading(parseMaintenance(listed.maintenance))) {
    return {
      code: 'maintenance',
      message: `datastore ${listed.store} is in maintenance (${maintenanceText(listed.maintenance)}); its rows stay as they are until the mode is cleared`,
    }
  }
  return listed['mount-status'] === 'notmounted'
    ? {
        code: 'not_mounted',
        message: `datastore ${listed.store} is not mounted; its rows stay as they are until it is plugged in`,
      }
    : null
}

/** The history in a row of `/status/datastore-usage`: shares 0 to 1 in even steps, null where PBS measured nothing. */
type UsageHistory = Pick<PbsDatastoreUsage, 'total' | 'history-start' | 'history-delta'> & {
  readonly history: ReadonlyArray<number | null> | null
}

/** A running mean. */
interface Mean {
  readonly sum: number
  readonly count: number
}

/**
 * The month of usage that PBS keeps of a datastore, as one point per slot, oldest first; its shares
 * become bytes of the present total. Only slots that the history covers whole count, so that a slot
 * reads the same in every run; the last step is still being measured.
 */
export function usagePoints({
  total,
  history,
  'history-start': start,
  'history-delta': step,
}: UsageHistory): ReadonlyArray<UsagePoint> {
  if (!isPositive(total) || !isPositive(start) || !isPositive(step) || step > usageSlotSeconds) return []
  const shares = (history ?? []).slice(0, -1)
  const end = start + shares.length * step
  const slots = new Map<number, Mean>()
  for (const [i, share] of shares.entries()) {
    const slot = Math.floor((start + i * step) / usageSlotSeconds) * usageSlotSeconds
    if (slot < start || slot + usageSlotSeconds > end) continue
    if (share === null || !(share >= 0 && share <= 1)) continue
    const { sum, count } = slots.get(slot) ?? { sum: 0, count: 0 }
    slots.set(slot, { sum: sum + share, count: count + 1 })
  }
  return [...slots].slice(-mostUsagePoints).flatMap(([slot, { sum, count }]) => {
    const time = datetimeOf(slot)
    return time === null ? [] : [{ time, used_bytes: Math.round((sum / count) * total), total_bytes: total }]
  })
}

const isPositive = (value: number | null): value is number => value !== null && value > 0
