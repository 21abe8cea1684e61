import { formatTimestamp } from '@netbox-pbs/core'
import type { GroupFrame } from '@netbox-pbs/proxbox-client/contract'

/** Text that every database stores: without NUL, lone surrogates replaced. */
export const storable = (text: string): string => text.replaceAll('\0', '').toWellFormed()

/** The first line of notes, trimmed and storable, as PBS shows them in its own lists. */
export const firstLine = (notes: string | null): string => storable((notes ?? '').split('\n', 1)[0] ?? '').trim()

/** The last second that RFC 3339 can write: years have four digits. */
const lastSecond = 253_402_300_799

/** Whether a calendar has this time; 0 stands for none. */
export const isDatetime = (epochSeconds: number): boolean => epochSeconds > 0 && epochSeconds <= lastSecond

/** Epoch seconds as RFC 3339 in UTC. Null for 0, for a missing time and for one that no calendar has. */
export const datetimeOf = (epochSeconds: number | null): string | null =>
  epochSeconds === null || !isDatetime(epochSeconds) ? null : formatSeconds(Math.floor(epochSeconds))

const daySeconds = 86_400
/** `2026-05-01T` by day. A fleet has a few thousand of them, and a million snapshots. */
const days = new Map<number, string>()
const mostDays = 20_000

const formatSeconds = (seconds: number): string => {
  const day = Math.floor(seconds / daySeconds)
  let date = days.get(day)
  if (date === undefined) {
    if (days.size >= mostDays) days.clear()
    date = formatTimestamp(day * daySeconds * 1000).slice(0, -'00:00:00Z'.length)
    days.set(day, date)
  }
  const ofDay = seconds - day * daySeconds
  const [hour, minute] = [Math.floor(ofDay / 3600), Math.floor(ofDay / 60) % 60]
  return `${date}${twoDigits[hour]}:${twoDigits[minute]}:${twoDigits[ofDay % 60]}Z`
}

const twoDigits = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'))

/** The columns that each field of a PBS row fills. */
export type ColumnsOfFields = Readonly<Record<string, ReadonlyArray<string>>>

/**
 * The columns that a row's odd fields leave unknown. `oddFields` are paths: `verification.upid`
 * belongs to `verification`.
 */
export const unknownColumns = (
  oddFields: ReadonlyArray<string> | undefined,
  columns: ColumnsOfFields,
): ReadonlyArray<string> => (oddFields ?? []).flatMap((path) => columns[path.split('.', 1)[0] ?? ''] ?? [])

/** The `unknown` of a frame, each column once; empty where everything is known. */
export const withUnknown = (columns: ReadonlyArray<string>): Pick<GroupFrame, 'unknown'> =>
  columns.length === 0 ? {} : { unknown: [...new Set(columns)] }

/** How the last run of a job ended. */
type LastRunState = 'ok' | 'warning' | 'error' | 'running' | 'unknown' | 'never'

/**
 * The end of the last run of a job or task: a UPID without a state is an active run, neither means
 * no run yet. Any text that is not one of PBS's own words is the error message of the run.
 */
export const lastRunState = (state: string | null, upid: string | null): LastRunState => {
  if (state === null) return upid === null ? 'never' : 'running'
  if (state === 'OK') return 'ok'
  if (/^WARNINGS: \d+$/.test(state)) return 'warning'
  return state === 'unknown' ? 'unknown' : 'error'
}

/** The most characters of what PBS says of a run: an error message may be a page. */
const maxRunText = 1000

/** What PBS says of the end of a task or job, storable and bounded. */
export const runText = (state: string | null): string => storable((state ?? '').slice(0, maxRunText)).trim()

/** What PBS says of a last run that did not end well; blank when it did, and while it is not known. */
export const lastRunError = (state: string | null): string =>
  ['error', 'warning'].includes(lastRunState(state, null)) ? runText(state) : ''
