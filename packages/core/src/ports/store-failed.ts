import { Data } from 'effect'

/** The database could not do what was asked, and the fault lies outside: `unavailable` passes, `full` and `refused` need an operator. */
export class StoreFailed extends Data.TaggedError('StoreFailed')<{
  readonly reason: 'unavailable' | 'refused' | 'full'
  /** What was being done, as a sentence's subject: `landing the snapshots of pbs-a/tank`. */
  readonly doing: string
  readonly cause?: unknown
}> {
  override get message(): string {
    const next = {
      unavailable: 'the database does not answer; check that it runs and try again',
      refused: 'the database refused; check the rights of its user',
      full: 'the database has no room; free disk space and try again',
    }[this.reason]
    return `${this.doing}: ${next}`
  }
}
