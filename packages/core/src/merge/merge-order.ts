import type { ModelName } from '../registry/field.ts'
import { modelNames } from '../registry/registry.ts'
import type { Write } from './write.ts'

/** A write of a merge, with the object it is about. `key` is the natural key that the object has after it. */
export interface ObjectWrite {
  readonly model: ModelName
  readonly key: string
  readonly write: Write
  /** The write changes the object's own key. */
  readonly movesKey: boolean
}

/**
 * The order in which a merge writes, as a number that rises: first deletions from the leaves up, then key changes, which free and take keys among each other and so go in two steps, then the
 * rest from the roots down.
 */
export function mergeRank({ model, write, movesKey }: ObjectWrite): number {
  const depth = modelNames.indexOf(model)
  if (write._tag === 'delete') return modelNames.length - depth
  return (movesKey ? 2 : 3) * modelNames.length + depth
}

/** The writes in the order in which they can be applied; of one rank by key. */
export function inMergeOrder(writes: ReadonlyArray<ObjectWrite>): ReadonlyArray<ObjectWrite> {
  return [...writes].sort((a, b) => mergeRank(a) - mergeRank(b) || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
}
