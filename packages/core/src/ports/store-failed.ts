import { Data, type Duration, FiberRef, Option } from 'effect'

/**
 * A database operation failed for an outside reason. Most pass by themselves; `too_slow` needs a
 * smaller request, `full` and `refused` need an operator.
 *
 * After `unknown` the work may have been done or not: its connection broke while it was committed.
 * After all others it was not done.
 */
export class StoreFailed extends Data.TaggedError('StoreFailed')<{
  readonly reason:
    | 'unavailable'
    | 'unknown'
    | 'conflict'
    | 'busy'
    | 'crowded'
    | 'stopped'
    | 'read_only'
    | 'too_slow'
    | 'refused'
    | 'full'
  /** The operation, as a sentence's subject: `landing the snapshots of pbs-a/tank`. */
  readonly operation: string
  readonly cause?: unknown
}> {
  /** Whether a retry may succeed without action by an operator. */
  get passes(): boolean {
    return this.reason !== 'too_slow' && this.reason !== 'refused' && this.reason !== 'full'
  }

  override get message(): string {
    const next = {
      unavailable: 'the database does not answer; check that it runs and try again',
      unknown:
        'the connection to the database broke before it said whether this was done; look at it before you repeat it',
      conflict: 'it and another write blocked each other; try again',
      busy: 'other requests used up the time that this one may wait; try again',
      crowded: 'the database accepts no more connections; close some of its clients or raise its max_connections',
      stopped: "the database stopped it, by its statement_timeout or an administrator's command; try again",
      read_only:
        'the database can only be read, as a standby; check that its address leads to the primary and try again',
      too_slow: 'it took longer than a request may take and was stopped; ask for less',
      refused: 'the database refused; check the rights of its user',
      full: 'the disk of the database is full; free disk space and try again',
    }[this.reason]
    return `${this.operation}: ${next}`
  }
}

/**
 * How long one statement outside a transaction may take before it is cancelled and fails as
 * `too_slow`; none: as long as it needs. Only the edge that answers requests sets it, so that a sync
 * is never cut off; the embedded database cannot be interrupted and ignores it.
 */
export const statementLimit: FiberRef.FiberRef<Option.Option<Duration.Duration>> = FiberRef.unsafeMake(Option.none())

/**
 * The object does not have the version that the writer expected, so nothing was written. `version` is
 * its present `last_updated`, RFC 3339; `index` the place of the object in a request that names several.
 */
export class VersionChanged extends Data.TaggedError('VersionChanged')<{
  readonly version: string
  readonly index?: number
}> {
  override get message(): string {
    return `it was changed at ${this.version}: read it again, then repeat the change`
  }
}

/**
 * The versions that an object may have to be written: its `last_updated`, RFC 3339; undefined: any.
 * They are compared under the object's lock, in the transaction of the write.
 */
export type ExpectedVersions = ReadonlyArray<string> | undefined
