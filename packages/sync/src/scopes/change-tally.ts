import type { Change, Delete, ModelName, Scope, Warning } from '@netbox-pbs/core'

/** Counts what a scope's diffs said, in constant memory. */
export class ChangeTally {
  /** Changes of any model. */
  changes = 0
  /** Deletions of rows of the scope's own model. */
  deletions = 0
  /** Those of them whose rows are missing already. */
  alreadyMissing = 0
  /** Deletions of rows of any model that are missing already. */
  missing = 0
  /** Rows of the scope's own model found equal. */
  unchanged = 0
  readonly #broken = new Map<string, number>()

  /** Counts the changes of one diff. `own`: they are of the scope's own model. */
  add<M extends ModelName>(changes: ReadonlyArray<Change<M>>, own: boolean): void {
    this.changes += changes.length
    for (const change of changes) {
      if (change._tag === 'delete') this.#delete(change, own)
      if (change._tag !== 'update') continue
      for (const field of change.broken) this.#broken.set(field, (this.#broken.get(field) ?? 0) + 1)
    }
  }

  #delete(change: Delete, own: boolean): void {
    const missing = change.missing === true
    if (missing) this.missing++
    if (!own) return
    this.deletions++
    if (missing) this.alreadyMissing++
  }

  /** One warning for each immutable field that changed. */
  warnings(scope: Scope): ReadonlyArray<Warning> {
    return [...this.#broken].map(([field, count]) => ({
      scope,
      code: 'immutable_changed',
      message: `${field} of finished backups changed; the change log of this run names them`,
      count,
    }))
  }
}
