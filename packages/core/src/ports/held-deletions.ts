import { Context, Data, type Effect, type Option } from 'effect'
import type { RecordPage, RecordQuery } from '../query/list-query.ts'
import type { HeldDeletions, HeldState } from '../sync/judge-deletions.ts'
import type { ListedPage } from './runs.ts'
import type { StoreFailed } from './store-failed.ts'

/** No held deletions have that id: their rows came back or were deleted, or their server was deleted. */
export class HeldDeletionsNotFound extends Data.TaggedError('HeldDeletionsNotFound')<{ readonly id: number }> {
  override get message(): string {
    return `held deletions ${this.id} no longer exist: their rows came back or were deleted, or their server was deleted`
  }
}

/**
 * The held deletions changed after the operator saw them: more rows, another reason or visibility, or
 * a decision. `set` is their present state.
 */
export class HeldDeletionsChanged extends Data.TaggedError('HeldDeletionsChanged')<{
  readonly reason: 'another_revision' | 'decided'
  readonly set: HeldDeletions
}> {
  override get message(): string {
    const { id, count, revision, state, decided } = this.set
    return this.reason === 'decided'
      ? `held deletions ${id} were ${state} by ${decided?.by ?? ''} at ${decided?.at ?? ''}`
      : `held deletions ${id} have changed since you read them: they now have ${count} rows, at revision ${revision}; read them again`
  }
}

/**
 * The held deletions of scopes, and the decisions of operators. A scope has at most one record;
 * landing creates, refreshes and ends it.
 */
export class HeldDeletionsStore extends Context.Tag('@netbox-pbs/core/HeldDeletionsStore')<
  HeldDeletionsStore,
  {
    /**
     * Held deletions with rows, oldest first unless asked otherwise: those that a run held or refreshed, or, without a run, those
     * that wait for a decision. Fields are `heldFields`.
     */
    readonly list: (
      request: RecordQuery & RecordPage & { readonly runId: number | null },
    ) => Effect.Effect<ListedPage<HeldDeletions>, StoreFailed>
    /** With a run: only if that run held or refreshed them. */
    readonly get: (request: {
      readonly id: number
      readonly runId: number | null
    }) => Effect.Effect<Option.Option<HeldDeletions>, StoreFailed>
    /**
     * Ids of the first rows, which are of the scope's model. Rows that only one list has lacked so far are
     * not included.
     */
    readonly sample: (request: {
      readonly id: number
      readonly limit: number
    }) => Effect.Effect<ReadonlyArray<number>, StoreFailed>
    /** Rows that wait for a decision, of all scopes; those that only wait for rows below them are not counted. */
    readonly waiting: () => Effect.Effect<number, StoreFailed>
    /**
     * Records a decision in one transaction; `revision` is the one that the operator saw, null the
     * present one. Dismissing confirmed deletions withdraws the confirmation; repeating the present
     * decision is refused.
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
