import { z } from 'zod'
import { flag, integer, text, type WithUnsafeIntegers } from './decode-item.ts'

/** A row of `/admin/datastore`: a store that the token may see, also one in maintenance or not mounted. */
export const PbsDatastoreListItem = z.object({
  store: z.string(),
  comment: text,
  /** A property string; see `parseMaintenance`. */
  maintenance: text,
  'mount-status': text,
  'backend-type': text,
})
export type PbsDatastoreListItem = WithUnsafeIntegers<Readonly<z.output<typeof PbsDatastoreListItem>>>

/** A row of `/config/datastore`. */
export const PbsDatastoreConfig = z.object({
  name: z.string(),
  path: text,
  comment: text,
  'gc-schedule': text,
  /** PBS 4.2 and later. */
  'gc-on-unmount': flag,
  'prune-schedule': text,
  'keep-last': integer,
  'keep-hourly': integer,
  'keep-daily': integer,
  'keep-weekly': integer,
  'keep-monthly': integer,
  'keep-yearly': integer,
  'verify-new': flag,
  'notification-mode': text,
  tuning: text,
  /** A property string; see `parseMaintenance`. */
  'maintenance-mode': text,
  'backing-device': text,
  backend: text,
})
export type PbsDatastoreConfig = WithUnsafeIntegers<Readonly<z.output<typeof PbsDatastoreConfig>>>

const gcFields = {
  upid: text,
  'index-file-count': integer,
  'index-data-bytes': integer,
  'disk-bytes': integer,
  'disk-chunks': integer,
  'removed-bytes': integer,
  'removed-chunks': integer,
  'pending-bytes': integer,
  'pending-chunks': integer,
  'removed-bad': integer,
  'still-bad': integer,
}

/** Numbers of the last successful garbage collection; `upid` null when there was none. */
export const PbsGcNumbers = z.object(gcFields)
export type PbsGcNumbers = Readonly<z.output<typeof PbsGcNumbers>>

/**
 * A row of `/admin/gc`. `upid` names the last *successful* run, `last-run-state` the last run: null
 * while one is under way or when there was none, and `OK` for that success on PBS up to 3.1, which
 * tells no state.
 */
export const PbsGcStatus = z.object({
  store: z.string(),
  ...gcFields,
  schedule: text,
  'next-run': integer,
  'last-run-endtime': integer,
  'last-run-state': text,
  duration: integer,
})
export type PbsGcStatus = WithUnsafeIntegers<Readonly<z.output<typeof PbsGcStatus>>>

/** A row of `/status/datastore-usage`; a missing size and the -1 of PBS up to 3.1.2 are both null. */
export const PbsDatastoreUsage = z.object({
  store: z.string(),
  total: integer.transform(missingWhenNegative),
  used: integer.transform(missingWhenNegative),
  avail: integer.transform(missingWhenNegative),
  'mount-status': text,
  'backend-type': text,
  'estimated-full-date': integer,
  /**
   * Shares 0 to 1 of the last 30 days or so, null for gaps; the next two fields have the time of
   * the first and the seconds between them.
   */
  history: z.array(z.number().nullable()).nullable().default(null),
  'history-start': integer,
  'history-delta': integer,
  error: text,
  'gc-status': PbsGcNumbers.nullable().default(null),
})
export type PbsDatastoreUsage = WithUnsafeIntegers<Readonly<z.output<typeof PbsDatastoreUsage>>>

/** `/admin/datastore/{store}/status` without `verbose`; all zero when the token may not see the numbers. */
export const PbsDatastoreStatus = z.object({ total: integer, used: integer, avail: integer, 'backend-type': text })
export type PbsDatastoreStatus = WithUnsafeIntegers<Readonly<z.output<typeof PbsDatastoreStatus>>>

function missingWhenNegative(value: number | null): number | null {
  return value !== null && value < 0 ? null : value
}

/**
 * A maintenance mode of a datastore. `mode` is PBS's word (`read-only`, `offline`, `delete`,
 * `unmount`, `s3-refresh`, or a later one).
 */
export interface PbsMaintenance {
  readonly mode: string
  readonly message: string | null
}

/**
 * Reads the property string in `maintenance` of the datastore list and `maintenance-mode` of the configuration:
 * `[type=]<mode>[,message=<text>]`, the text quoted or not, percent-encoded or not.
 * Null when there is no mode.
 */
export const parseMaintenance = (text: string | null | undefined): PbsMaintenance | null => {
  if (text === null || text === undefined) return null
  const properties = splitProperties(text)
  const mode = properties.find(([key]) => key === 'type' || key === '')?.[1].trim() ?? ''
  if (mode === '') return null
  const message = properties.find(([key]) => key === 'message')?.[1]
  return { mode, message: message === undefined || message === '' ? null : percentDecode(message) }
}

/**
 * The type in the property string `backend` of a datastore's configuration (PBS 4.0 and later):
 * `s3` or a later word; null when it names none, as those of datastores on a filesystem do.
 */
export const parseBackendType = (text: string | null | undefined): string | null =>
  splitProperties(text ?? '').find(([key]) => key === 'type')?.[1] ?? null

/** Whether reads succeed in this mode: only in `read-only` and without a mode. */
export const allowsReading = (maintenance: PbsMaintenance | null): boolean =>
  maintenance === null || maintenance.mode === 'read-only'

const splitProperties = (text: string): ReadonlyArray<readonly [string, string]> => {
  const properties: Array<readonly [string, string]> = []
  // key= (optional), then a quoted text with backslash escapes or anything up to the next comma.
  const property = /\s*(?:([A-Za-z][\w-]*)=)?(?:"((?:[^"\\]|\\.)*)"|([^,]*))(?:,|$)/gy
  while (property.lastIndex < text.length) {
    const match = property.exec(text)
    if (match === null) break
    const [, key = '', quoted, plain = ''] = match
    properties.push([key, quoted === undefined ? plain : quoted.replaceAll(/\\(.)/g, '$1')])
  }
  return properties
}

const percentDecode = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
