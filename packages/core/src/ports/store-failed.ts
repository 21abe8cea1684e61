import { Data } from 'effect'

/**
 * The database could not do what was asked, and the fault lies outside: `unavailable`,
 * `conflict` and `busy` pass, `too_slow` asks for less, `full` and `refused` need an operator.
 */
export class StoreFailed extends Data.TaggedError('StoreFailed')<{
  readonly reason: 'unavailable' | 'conflict' | 'busy' | 'too_slow' | 'refused' | 'full'
  /** What was being done, as a sentence's subject: `landing the snapshots of pbs-a/tank`. */
  readonly operation: string
  readonly cause?: unknown
}> {
  /** Whether the same may succeed a little later, with nothing changed by an operator. */
  get passes(): boolean {
    return this.reason === 'unavailable' || this.reason === 'conflict' || this.reason === 'busy'
  }

  override get message(): string {
    const next = {
      unavailable: 'the database does not answer; check that it runs and try again',
      conflict: 'two writers waited for each other, and this one gave way; try again',
      busy: 'other searches have taken all the time that a request may wait; try again',
      too_slow: 'it took longer than a request may take and was stopped; ask for less',
      refused: 'the database refused; check the rights of its user',
      full: 'the database has no room; free disk space and try again',
    }[this.reason]
    return `${this.operation}: ${next}`
  }
}
