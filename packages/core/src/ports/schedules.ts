import { Context, type Effect, type Option, type Stream } from 'effect'
import type { Run } from '../run.ts'
import type { ServerTiming } from '../timing.ts'
import type { NewRun } from './runs.ts'
import type { StoreFailed } from './store-failed.ts'

/** How far a schedule has been kept. */
export interface ScheduleMark {
  /** The timing that was kept, as its text; another one begins to count anew. */
  readonly timing: string
  /** RFC 3339; the next run is due by this moment. */
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
 * What the schedule remembers, so that of several workers exactly one starts a run that is due, and a restart starts none twice: who is due is said with the mark that was
 * read, and the first one moves it.
 */
export class Schedules extends Context.Tag('@netbox-pbs/core/Schedules')<
  Schedules,
  {
    /** The mark of the settings' own schedule. */
    readonly settingsMark: () => Effect.Effect<Option.Option<ScheduleMark>, StoreFailed>
    readonly servers: () => Stream.Stream<ScheduledServer, StoreFailed>
    /**
     * Begins to count by another timing, or again where the mark lies more than five minutes after this moment, as of a clock that was ahead. Of several that begin at
     * once the first one's moment counts.
     */
    readonly watch: (request: ScheduleMark & { readonly serverId: number | null }) => Effect.Effect<void, StoreFailed>
    /** Records the run, and the mark with it; none when another worker was first. `dropped`: how many before it were. */
    readonly start: (
      due: DueRun,
      run: NewRun,
    ) => Effect.Effect<Option.Option<{ readonly run: Run; readonly dropped: number }>, StoreFailed>
    /** Moves the mark without a run, and says how many were dropped since the last one; none when another worker was first. */
    readonly drop: (due: DueRun) => Effect.Effect<Option.Option<number>, StoreFailed>
  }
>() {}
