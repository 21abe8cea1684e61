import type { ModelName } from '../registry/field.ts'
import { branchedModels } from '../registry/registry.ts'

/** One step of a merge: all operations of one kind on the objects of one model. */
export interface MergeStep {
  readonly model: ModelName
  readonly op: 'delete' | 'update' | 'create'
}

/**
 * The order of a merge: deletions from the leaves up, which free keys, then model by model from the
 * roots down updates before creations. Updates exchange keys in two steps, and a creation may take
 * a key that an update has freed or refer to a row that was just created.
 */
export const mergeSteps: ReadonlyArray<MergeStep> = [
  ...branchedModels.map((model): MergeStep => ({ model, op: 'delete' })).reverse(),
  ...branchedModels.flatMap(
    (model): ReadonlyArray<MergeStep> => [
      { model, op: 'update' },
      { model, op: 'create' },
    ],
  ),
]
