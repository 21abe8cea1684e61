import { Context, type Effect, type Option, type Stream } from 'effect'
import type { Run } from '../run.ts'
import type { ServerTiming } from '../timing.ts'
import type { NewRun } from './runs.ts'
import type { StoreFailed } from './store-failed.ts'

/** How far a schedule has been kept. */
export interface ScheduleMark {
  /** The text of the timing it was counted by; another timing starts counting again. */
  readonly timing: string
  /** RFC 3339; the time from which the next run is counted. */
  readonly countedFrom: string
}

/** A server whose timing is its own, or was until now. */
export interface ScheduledServer extends ServerTiming {
  readonly id: number
  readonly name: string
  /** Only such a server has something to sync. */
  readonly connected: boolean
  readonly mark: ScheduleMark | null
}

/** One run that is due. `serverId` is null for the schedule of the settings. */
export interface DueRun {
  readonly serverId: number | null
  readonly mark: ScheduleMark
  /** RFC 3339; from when the next one is counted. */
  readonly countedFrom: string
}

/**
 * The stored state of schedules: of several workers exactly one starts a due run, and a restart starts none
 * twice. A worker passes the mark that it read, and the first one to do so advances it.
 */
export class Schedules extends Context.Tag('@netbox-pbs/core/Schedules')<
  Schedules,
  {
    /** The mark of the settings' own schedule. */
    readonly settingsMark: () => Effect.Effect<Option.Option<ScheduleMark>, StoreFailed>
    readonly servers: () => Stream.Stream<ScheduledServer, StoreFailed>
    /**
     * Starts counting by another timing, or again if the mark is more than five minutes after this timestamp, as
     * with a clock that was ahead. If several workers do so at once, the first timestamp counts.
     */
    readonly watch: (request: ScheduleMark & { readonly serverId: number | null }) => Effect.Effect<void, StoreFailed>
    /**
     * Records the run, and the mark with it; none when another worker was first. `dropped`: how
     * many before it were.
     */
    readonly start: (
      due: DueRun,
      run: NewRun,
    ) => Effect.Effect<Option.Option<{ readonly run: Run; readonly dropped: number }>, StoreFailed>
    /**
     * Advances the mark without a run, and returns how many were dropped since the last one; none when
     * another worker was first.
     */
    readonly drop: (due: DueRun) => Effect.Effect<Option.Option<number>, StoreFailed>
  }
>() {}
