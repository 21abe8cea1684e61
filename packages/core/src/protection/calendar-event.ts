import { type TimeZone, utc } from './time-zone.ts'

/**
 * A schedule of PBS: the wall times at which a job is due. A field without values is any value of it.
 * The rules are those of PBS's own parser, which accepts more than its manual says.
 */
export interface CalendarEvent {
  /** The times are in UTC, not in the zone of the server. */
  readonly utc: boolean
  /** Days of the week; 0 is Sunday. */
  readonly weekdays: ReadonlySet<number>
  readonly year: Values
  readonly month: Values
  readonly day: Values
  readonly hour: Values
  readonly minute: Values
  readonly second: Values
}

/** Values of a field of a date or time; none: any. */
export type Values = ReadonlyArray<Steps>

/** `from`, and each `step` after it up to `to`. */
export interface Steps {
  readonly from: number
  readonly to: number
  /** 0: `from` alone. */
  readonly step: number
}

const any: Values = []
const only = (...values: ReadonlyArray<number>): Values => values.map((from) => ({ from, to: from, step: 1 }))

const always: CalendarEvent = {
  utc: false,
  weekdays: new Set(),
  year: any,
  month: any,
  day: any,
  hour: any,
  minute: any,
  second: any,
}
const midnight = { hour: only(0), minute: only(0), second: only(0) }
const firstOf = (...months: ReadonlyArray<number>) => ({
  ...always,
  ...midnight,
  day: only(1),
  month: only(...months),
})

const keywords: ReadonlyMap<string, CalendarEvent> = new Map([
  ['minutely', { ...always, second: only(0) }],
  ['hourly', { ...always, minute: only(0), second: only(0) }],
  ['daily', { ...always, ...midnight }],
  ['weekly', { ...always, ...midnight, weekdays: new Set([1]) }],
  ['monthly', firstOf()],
  ['quarterly', firstOf(1, 4, 7, 10)],
  ['semiannually', firstOf(1, 7)],
  ['semi-annually', firstOf(1, 7)],
  ['yearly', firstOf(1)],
  ['annually', firstOf(1)],
])

const dayNames: ReadonlyArray<string> = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']

const list = String.raw`(?:\*(?:/\d+)?|\d[\d./]*(?:,\d[\d./]*)*)`
const shape = new RegExp(
  [
    String.raw`^(?<weekdays>[a-z]+(?:(?:,|\.\.)[a-z]+)*)?[ \t]*`,
    String.raw`(?:(?:(?<year>${list})-)?(?<month>${list})-(?<day>${list})(?!(?<=\d)\d))?[ \t]*`,
    `(?:(?:(?<hour>${list}):)?(?<minute>${list})(?::(?<second>${list}))?)?$`,
  ].join(''),
  'i',
)

/** The fields with their first value, where the steps of `*` begin, and their last. */
const fields = [
  ['year', 0, 2199],
  ['month', 1, 12],
  ['day', 1, 31],
  ['hour', 0, 23],
  ['minute', 0, 59],
  ['second', 0, 59],
] as const

/** The longest schedule that is read; PBS has no longer ones in its forms. */
const longestText = 255

/** The schedule that a text is; null when PBS would not accept it either. */
export function parseCalendarEvent(text: string): CalendarEvent | null {
  if (text.length > longestText) return null
  const utc = text.endsWith('UTC')
  const local = utc ? text.slice(0, -3).replace(/ +$/, '') : text
  const keyword = keywords.get(local)
  if (keyword !== undefined) return { ...keyword, utc }
  const parts = shape.exec(local)?.groups
  if (parts === undefined || /^[ \t]|[ \t]$/.test(local)) return null
  if (parts.weekdays === undefined && parts.minute === undefined && parts.day === undefined) return null
  const weekdays = weekdaysOf(parts.weekdays)
  if (weekdays === null) return null
  const event = { ...always, ...(parts.minute === undefined ? midnight : { second: only(0) }) }
  for (const [field, first, most] of fields) {
    const text = parts[field]
    if (text === undefined) continue
    const values = valuesOf(text, first, most)
    if (values === null) return null
    event[field] = values
  }
  return { ...event, utc, weekdays }
}

/** Days and ranges of days, also over the end of a week; null when one is no day. */
function weekdaysOf(text: string | undefined): ReadonlySet<number> | null {
  const days = new Set<number>()
  for (const range of text?.toLowerCase().split(',') ?? []) {
    const [first, last = first, ...more] = range.split('..').map(dayOf)
    if (first === undefined || last === undefined || first === -1 || last === -1 || more.length > 0) return null
    for (let day = first; ; day = (day + 1) % 7) {
      days.add(day)
      if (day === last) break
    }
  }
  return days
}

const dayOf = (name: string): number => dayNames.findIndex((day) => day === name || day.slice(0, 3) === name)

const stepsShape = /^(\d+)(?:\.\.(\d+))?(?:\/(\d+))?$/

/** The values of a list; null when one is no number of this field. */
function valuesOf(text: string, first: number, most: number): Values | null {
  if (text === '*') return any
  if (text.startsWith('*/')) {
    const step = Number(text.slice(2))
    return step > 0 && step <= most ? [{ from: first, to: Number.POSITIVE_INFINITY, step }] : null
  }
  const values: Array<Steps> = []
  for (const item of text.split(',')) {
    const steps = stepsOf(item, most)
    if (steps === null) return null
    values.push(steps)
  }
  return values
}

function stepsOf(item: string, most: number): Steps | null {
  const [matched, from, end, step] = stepsShape.exec(item) ?? []
  if (matched === undefined) return null
  const last = step === undefined ? Number(from) : Number.POSITIVE_INFINITY
  const steps = { from: Number(from), to: end === undefined ? last : Number(end), step: Number(step ?? 1) }
  const valid = steps.from <= most && (end === undefined || steps.to <= most) && steps.step <= most
  return valid && steps.from <= steps.to ? steps : null
}

const includes = (values: Values, value: number): boolean =>
  values.length === 0 ||
  values.some(({ from, to, step }) =>
    step === 0 ? value === from : value >= from && value <= to && (value - from) % step === 0,
  )

const matching = (values: Values, count: number): ReadonlyArray<number> =>
  Array.from({ length: count }, (_, value) => value).filter((value) => includes(values, value))

const dayLength = 86_400

/** The last year in which a date is looked for, which is also the last that PBS accepts. */
const lastYear = 2199

/**
 * The first time after another at which a job of this schedule is due, both in seconds since 1970;
 * null: never. A wall time that the clock of `zone` jumps over in spring is passed over, as PBS does.
 * Of one that the clock shows twice in autumn PBS takes either, the second counts here.
 */
export function nextEvent(event: CalendarEvent, after: number, zone: TimeZone): number | null {
  const clock = event.utc ? utc : zone
  const hours = matching(event.hour, 24)
  const minutes = matching(event.minute, 60)
  const seconds = matching(event.second, 60)
  const begin = clock.wallTime(after)
  // The clock may go back within a day: then earlier wall times follow once more.
  const back = Math.max(0, begin + dayLength - clock.wallTime(after + dayLength))
  const first = begin - back
  for (let date = nextDate(event, startOfDay(first)); date !== null; date = nextDate(event, date + dayLength)) {
    for (const time of timesOfDay(hours, minutes, seconds, first - date)) {
      const found = clock.timeOf(date + time)
      if (found !== null && found > after) return found
    }
  }
  return null
}

const startOfDay = (wallTime: number): number => Math.floor(wallTime / dayLength) * dayLength

/** The first day of the schedule from `date` on, as the wall time of its midnight; null: none. */
function nextDate(event: CalendarEvent, from: number): number | null {
  const at = new Date(from * 1000)
  while (at.getUTCFullYear() <= lastYear) {
    if (!includes(event.year, at.getUTCFullYear())) at.setUTCFullYear(at.getUTCFullYear() + 1, 0, 1)
    else if (!includes(event.month, at.getUTCMonth() + 1)) at.setUTCMonth(at.getUTCMonth() + 1, 1)
    else if (!isDayOf(event, at)) at.setUTCDate(at.getUTCDate() + 1)
    else return at.getTime() / 1000
  }
  return null
}

const isDayOf = ({ day, weekdays }: CalendarEvent, at: Date): boolean =>
  includes(day, at.getUTCDate()) && (weekdays.size === 0 || weekdays.has(at.getUTCDay()))

/** The times of a day from `from` on, in seconds after its midnight. */
function* timesOfDay(
  hours: ReadonlyArray<number>,
  minutes: ReadonlyArray<number>,
  seconds: ReadonlyArray<number>,
  from: number,
): Generator<number> {
  for (const hour of hours) {
    if (hour * 3600 + 3599 < from) continue
    for (const minute of minutes) {
      const base = hour * 3600 + minute * 60
      if (base + 59 < from) continue
      for (const second of seconds) if (base + second >= from) yield base + second
    }
  }
}
