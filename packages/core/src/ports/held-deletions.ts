import { Context, Data, type Effect, type Option } from 'effect'
import type { HeldDeletions, HeldState } from '../sync/held-deletions.ts'
import type { Page } from './runs.ts'
import type { StoreFailed } from './store-failed.ts'

/** No scope holds such a set: its rows came back or went, or its server was deleted. */
export class HeldDeletionsNotFound extends Data.TaggedError('HeldDeletionsNotFound')<{ readonly id: number }> {
  override get message(): string {
    return `held deletions ${this.id} is gone: its rows came back or went, or its server was deleted`
  }
}

/** The set is not what the operator saw: it grew, it is held for another reason or under another visibility, or somebody has decided already. `set` is how it is now. */
export class HeldDeletionsChanged extends Data.TaggedError('HeldDeletionsChanged')<{
  readonly reason: 'another_revision' | 'decided'
  readonly set: HeldDeletions
}> {
  override get message(): string {
    const { id, count, revision, state, decided } = this.set
    return this.reason === 'decided'
      ? `held deletions ${id} was ${state} by ${decided?.by ?? ''} at ${decided?.at ?? ''} already`
      : `held deletions ${id} has changed since you saw it: it holds ${count} rows now, as revision ${revision}; look at it again`
  }
}

/** The deletions that scopes hold back, and what operators decide of them. A scope has at most one set; landing makes, refreshes and ends it. */
export class HeldDeletionsStore extends Context.Tag('@netbox-pbs/core/HeldDeletionsStore')<
  HeldDeletionsStore,
  {
    /** Sets with rows, oldest first: those that a run held or refreshed, or, without a run, those that wait for a decision. */
    readonly list: (request: {
      readonly runId: number | null
      readonly limit: number
      readonly offset: number
    }) => Effect.Effect<Page<HeldDeletions>, StoreFailed>
    /** With a run: only as one that the run held or refreshed. */
    readonly get: (request: {
      readonly id: number
      readonly runId: number | null
    }) => Effect.Effect<Option.Option<HeldDeletions>, StoreFailed>
    /** Ids of the first rows of a set, which are of its scope's model. Rows that one list has lacked so far are not among them. */
    readonly sample: (request: {
      readonly id: number
      readonly limit: number
    }) => Effect.Effect<ReadonlyArray<number>, StoreFailed>
    /** Rows that wait for a decision, of all scopes; those that only wait for rows below them are not counted. */
    readonly waiting: () => Effect.Effect<number, StoreFailed>
    /**
     * Takes a decision in one transaction. `revision` is that of the set as the operator saw it; null: whatever it is now. Dismissing what is confirmed takes the
     * confirmation back; taking the decision that is taken already is refused.
     */
    readonly decide: (request: {
      readonly id: number
      readonly revision: number | null
      readonly state: Exclude<HeldState, 'waiting'>
      readonly user: string
      /** UUID of the request it came with, for the change log; left out: none. */
      readonly requestId?: string
    }) => Effect.Effect<HeldDeletions, StoreFailed | HeldDeletionsNotFound | HeldDeletionsChanged>
  }
>() {}
