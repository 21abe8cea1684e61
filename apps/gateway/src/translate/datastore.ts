import { allowsReading, classifyLastRun, parseMaintenance } from '@netbox-pbs/pbs-client'
import type { DatastoreFrame } from '@netbox-pbs/proxbox-client/contract'
import { datetimeOf } from './datetime.ts'
import { firstLine, storable } from './text.ts'
import { type ColumnsOfFields, unknownColumns, withUnknown } from './unknown-columns.ts'
import { type UsageHistory, usagePoints } from './usage-points.ts'

/** What is read of a row of `/admin/datastore`. */
export interface ListedDatastore {
  readonly store: string
  readonly comment?: string | null | undefined
  readonly maintenance?: string | null | undefined
  readonly 'mount-status'?: string | null | undefined
  readonly 'backend-type'?: string | null | undefined
  readonly oddFields?: ReadonlyArray<string> | undefined
}

/** What is read of a row of `/config/datastore`. */
export interface ConfiguredDatastore {
  readonly name: string
  readonly path?: string | null | undefined
  readonly comment?: string | null | undefined
  readonly oddFields?: ReadonlyArray<string> | undefined
}

/** What is read of a row of `/status/datastore-usage`. */
export interface DatastoreUsage extends UsageHistory {
  readonly store: string
  readonly used?: number | null | undefined
  readonly avail?: number | null | undefined
  readonly 'estimated-full-date'?: number | null | undefined
  readonly 'gc-status'?: { readonly upid?: string | null | undefined } | null | undefined
}

/** What is read of a row of `/admin/gc`. */
export interface GcState {
  readonly store: string
  readonly upid?: string | null | undefined
  readonly schedule?: string | null | undefined
  readonly 'last-run-state'?: string | null | undefined
  readonly 'last-run-endtime'?: number | null | undefined
  readonly 'next-run'?: number | null | undefined
}

/** The four lists that know something of one datastore. Only the first has every visible one. */
export interface DatastoreParts {
  readonly server: string
  readonly listed: ListedDatastore
  readonly configured: ConfiguredDatastore | undefined
  readonly usage: DatastoreUsage | undefined
  readonly gc: GcState | undefined
}

/** One datastore out of PBS's four lists. Without the configuration (no Datastore.Audit) its path is unknown. */
export const datastoreFrame = ({ server, listed, configured, usage, gc }: DatastoreParts): DatastoreFrame => ({
  frame: 'datastore',
  server,
  name: listed.store,
  path: storable(configured?.path ?? ''),
  comment: firstLine(listed.comment ?? configured?.comment),
  maintenance: maintenanceText(listed.maintenance),
  mount_status: listed['mount-status'] ?? '',
  backend_type: listed['backend-type'] ?? '',
  ...withUnknown(unknownOf(listed, configured)),
  observed: {
    used_bytes: byteCount(usage?.used),
    total_bytes: byteCount(usage?.total),
    avail_bytes: byteCount(usage?.avail),
    gc_status: gcStatusOf(gc, usage),
    estimated_full_at: datetimeOf(usage?.['estimated-full-date']),
    ...usageOf(usage),
  },
})

const listedColumns: ColumnsOfFields = {
  comment: ['comment'],
  maintenance: ['maintenance'],
  'mount-status': ['mount_status'],
  'backend-type': ['backend_type'],
}

const unknownOf = (listed: ListedDatastore, configured: ConfiguredDatastore | undefined): ReadonlyArray<string> => {
  const odd = unknownColumns(configured?.oddFields, { path: ['path'], comment: ['comment'] })
  const configuredComment = (configured?.comment ?? null) !== null
  return [
    ...(configured === undefined || odd.includes('path') ? ['path'] : []),
    // The same comment stands in both lists.
    ...unknownColumns(listed.oddFields, listedColumns).filter((column) => column !== 'comment' || !configuredComment),
  ]
}

const usageOf = (usage: DatastoreUsage | undefined): Pick<DatastoreFrame['observed'], 'usage'> => {
  const points = usage === undefined ? [] : usagePoints(usage)
  return points.length === 0 ? {} : { usage: points }
}

/** PBS up to 3.1.2 says -1 where later releases say nothing. */
const byteCount = (value: number | null | undefined): number | null =>
  value === null || value === undefined || value < 0 ? null : value

/** `offline: disk at vault`; blank without a mode. */
const maintenanceText = (property: string | null | undefined): string => {
  const maintenance = parseMaintenance(property)
  if (maintenance === null) return ''
  return maintenance.message === null ? maintenance.mode : `${maintenance.mode}: ${storable(maintenance.message)}`
}

/**
 * How garbage collection stands. PBS keeps the UPID of the last successful run and, in a file of its own, how the last
 * run ended: a UPID without that end is a run under way, neither is one that never ran, which with a schedule is
 * pending. A store that cannot be opened is not in the list; of it only a former success is known.
 */
export const gcStatusOf = (gc: GcState | undefined, usage: DatastoreUsage | undefined): string => {
  if (gc === undefined) return (usage?.['gc-status']?.upid ?? null) === null ? 'unknown' : 'ok'
  const last = classifyLastRun({ state: gc['last-run-state'] ?? null, upid: gc.upid ?? null })
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
  listed: ListedDatastore,
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
