import {
  type Change,
  type Delete,
  diff,
  keyText,
  type MainRow,
  type ModelName,
  naturalKey,
  type Scope,
  type Sightings,
  type SourceRow,
  type SourceRows,
  scopeTitle,
} from '@netbox-pbs/core'
import type { Observed, ObservedModel } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { breach, type Completed, type ScopeBroken } from './scope-work.ts'

/** Models whose scopes are short enough to be read whole: the configuration of one server or datastore. */
type ListedModel = Exclude<ModelName, 'group' | 'snapshot'>

/** The comparison of a whole list with main. */
export interface Compared<M extends ListedModel> {
  /** Creates and updates. */
  readonly upserts: ReadonlyArray<Change<M>>
  /** Deletions, with their rows. */
  readonly deletions: ReadonlyArray<{ readonly change: Delete; readonly row: MainRow<M> }>
  /** How many of the deletions are of rows that are missing already. */
  readonly alreadyMissing: number
  readonly unchanged: number
  /** Rows that are absent from now on, or listed again. */
  readonly sightings: Sightings
}

/** The rows of one short scope, gathered until its list is complete. */
export class RowList<M extends ListedModel> {
  readonly #model: M
  readonly #scope: Scope
  readonly #within: SourceRows<M>['within']
  readonly #rows = new Map<string, SourceRow<M>>()
  /** Observations that came with the rows. */
  readonly observed: Array<Observed<M & ObservedModel>> = []

  /** @param within - What all rows of the list have in common: the id of their server. */
  constructor(model: M, scope: Scope, within: SourceRows<M>['within']) {
    this.#model = model
    this.#scope = scope
    this.#within = within
  }

  get size(): number {
    return this.#rows.size
  }

  /** The rows listed so far. */
  get facts(): Iterable<SourceRow<M>> {
    return this.#rows.values()
  }

  /** Takes a row and, where the model has them, its observations. A key may come once. */
  add(
    facts: SourceRow<M>,
    values: Observed<M & ObservedModel>['values'] | null = null,
  ): Effect.Effect<void, ScopeBroken> {
    const key = naturalKey(this.#model, facts, this.#within)
    const text = keyText(key)
    if (this.#rows.has(text)) return breach(`${scopeTitle(this.#scope)} list ${text} twice`)
    this.#rows.set(text, facts)
    if (values !== null) this.observed.push({ key, values } as unknown as Observed<M & ObservedModel>) // border: an observed model has the key of its rows
    return Effect.void
  }

  /** Fails when the source says it listed another number of rows. */
  counted({ count }: Completed): Effect.Effect<void, ScopeBroken> {
    if (count === this.size) return Effect.void
    return breach(`${scopeTitle(this.#scope)} ended with a count of ${count}, but ${this.size} rows came`)
  }

  /**
   * Compares the list with main's rows; with rows left out, missing ones are not judged. `runId`:
   * the run that listed it, whose list alone does not delete a row; null: every row that the list
   * lacks is deleted.
   */
  compare(main: Iterable<MainRow<M>>, runId: number | null, { leftOut }: Pick<Completed, 'leftOut'>): Compared<M> {
    const rows = new Map<number, MainRow<M>>()
    for (const row of main) rows.set(row.id, row)
    const { changes, unchanged, ...sightings } = diff({
      model: this.#model,
      main: rows.values(),
      source: [{ within: this.#within, rows: this.#rows.values() }],
      complete: leftOut === 0,
      ...(runId === null ? {} : { runId }),
    })
    const upserts: Array<Change<M>> = []
    const deletions: Array<Compared<M>['deletions'][number]> = []
    for (const change of changes) {
      const row = change._tag === 'delete' ? rows.get(change.id) : undefined
      if (change._tag === 'delete' && row !== undefined) deletions.push({ change, row })
      else upserts.push(change)
    }
    const alreadyMissing = deletions.filter(({ change }) => change.missing === true).length
    return { upserts, deletions, alreadyMissing, unchanged, sightings }
  }
}
