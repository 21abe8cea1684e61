import { type CalendarEvent, nextEvent, parseCalendarEvent } from './calendar-event.ts'
import { type TimeZone, utc } from './time-zone.ts'

/** How a run ended; `running`: it has not. */
export type RunOutcome = 'ok' | 'warning' | 'error' | 'running' | 'unknown'

/** A run of a job, as a task of its server tells. Times are seconds since 1970. */
export interface JobRun {
  readonly start: number
  /** Null while it runs. */
  readonly end: number | null
  readonly outcome: RunOutcome
  /** The text that PBS gives the end of a task. */
  readonly status: string
}

/** What is known of a job. Times are seconds since 1970. */
export interface JobFacts {
  readonly disabled: boolean
  /** Empty: it is started by people alone. */
  readonly schedule: string
  /** The zone of its server; null: not known. */
  readonly zone: TimeZone | null
  /** The next run as PBS gave it when the job was last read; in the past when it is overdue. Null: not given. */
  readonly nextRun: number | null
  /** The runs that are known, the newest first. */
  readonly runs: ReadonlyArray<JobRun>
  /** Since when the job has had this schedule and its runs are known. */
  readonly since: number
  /** When the tasks of its server were last read completely; null: never. */
  readonly readAt: number | null
}

/** How a job does, and since when. */
export interface JobHealth {
  /**
   * | state | meaning |
   * | --- | --- |
   * | off | disabled |
   * | missed | it was due more than 15 minutes before its server was last read, and has not started since |
   * | failing | its last finished run failed |
   * | running | it runs |
   * | unknown | it was due after its server was last read, or nothing tells |
   * | warning | its last finished run ended with warnings |
   * | ok | its last finished run was good |
   * | waiting | it has not run yet and is not due |
   */
  readonly state: 'off' | 'missed' | 'failing' | 'running' | 'unknown' | 'warning' | 'ok' | 'waiting'
  readonly missed: MissedRuns | null
  readonly failing: FailedRuns | null
  /** The start of the newest run that ended well, with warnings or without; null: none is known. */
  readonly lastGood: number | null
  /** When it is due next, or was due first; null: it has no schedule, or one that cannot be read. */
  readonly due: number | null
}

export interface MissedRuns {
  /** The first time at which it was due. */
  readonly since: number
  /** How often it was due until its server was last read, at most `mostMissed`; null: its schedule cannot be read. */
  readonly count: number | null
}

export interface FailedRuns {
  /** The start of the first run that failed. An earlier one may be unknown when no good run is known. */
  readonly since: number
  /** How many runs failed in a row. */
  readonly count: number
  /** What PBS said of the first of them. */
  readonly error: string
}

/** How late a job may start. PBS looks once a minute for jobs that are due. */
export const jobGraceSeconds = 15 * 60

/** Missed runs are counted up to this number. */
export const mostMissed = 1000

/** How a job does at a time in seconds since 1970, by its schedule and its runs. */
export function jobHealth(job: JobFacts, now: number): JobHealth {
  const failing = failedRuns(job.runs)
  const lastGood = job.runs.find(({ outcome }) => isGood(outcome))?.start ?? null
  const due = dueAt(job)
  const missed = job.disabled ? null : missedRuns(job, due)
  return { state: stateOf(job, { failing, missed, due }, now), missed, failing, lastGood, due }
}

const isGood = (outcome: RunOutcome): boolean => outcome === 'ok' || outcome === 'warning'

function stateOf(
  { disabled, runs, readAt }: JobFacts,
  { failing, missed, due }: Pick<JobHealth, 'failing' | 'missed' | 'due'>,
  now: number,
): JobHealth['state'] {
  if (disabled) return 'off'
  if (missed !== null) return 'missed'
  if (failing !== null) return 'failing'
  const [newest] = runs
  if (readAt === null) return 'unknown'
  if (newest !== undefined && newest.end === null) return 'running'
  if (due !== null && due + jobGraceSeconds < now) return 'unknown'
  if (newest === undefined) return due === null ? 'unknown' : 'waiting'
  if (newest.outcome === 'warning' || newest.outcome === 'ok') return newest.outcome
  return 'unknown'
}

/** The failed runs after the last good one. Runs that go on or whose outcome is unknown decide nothing. */
function failedRuns(runs: ReadonlyArray<JobRun>): FailedRuns | null {
  const decided = runs.filter(({ outcome }) => outcome === 'error' || isGood(outcome))
  const good = decided.findIndex(({ outcome }) => isGood(outcome))
  const failed = good === -1 ? decided : decided.slice(0, good)
  const first = failed.at(-1)
  return first === undefined ? null : { since: first.start, count: failed.length, error: first.status }
}

/** A schedule with the zone of its times; null when one of the two is not known. */
function readSchedule({ schedule, zone }: JobFacts): { event: CalendarEvent; zone: TimeZone } | null {
  const event = parseCalendarEvent(schedule)
  const clock = event?.utc === true ? utc : zone
  return event === null || clock === null ? null : { event, zone: clock }
}

/**
 * When a job is due: when PBS says, unless it has run since PBS said so; else at the first event of
 * its schedule after the start of its last run, as PBS decides it.
 */
function dueAt(job: JobFacts): number | null {
  const { schedule, nextRun, runs, since } = job
  if (schedule === '') return null
  const last = runs[0]?.start ?? null
  if (nextRun !== null && (last === null || nextRun > last)) return nextRun
  const known = readSchedule(job)
  return known === null ? null : nextEvent(known.event, Math.max(last ?? since, since), known.zone)
}

function missedRuns(job: JobFacts, due: number | null): MissedRuns | null {
  const { runs, readAt } = job
  if (due === null || readAt === null || due + jobGraceSeconds >= readAt) return null
  const [newest] = runs
  if (newest !== undefined && (newest.end === null || newest.start >= due)) return null
  const known = readSchedule(job)
  if (known === null) return { since: due, count: null }
  let count = 0
  for (let at: number | null = due; at !== null && at + jobGraceSeconds < readAt && count < mostMissed; count += 1) {
    at = nextEvent(known.event, at, known.zone)
  }
  return { since: due, count }
}
