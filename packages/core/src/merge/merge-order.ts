import type { ModelName } from '../registry/field.ts'
import { branchedModels } from '../registry/registry.ts'

/** One step of a merge: all that a branch does of one kind to the objects of one model. */
export interface MergeStep {
  readonly model: ModelName
  readonly op: 'delete' | 'update' | 'create'
}

/**
 * The order in which a merge writes. First deletions from the leaves up, which free keys. Then
 * model by model from the roots down: updates, which free and take keys among each other and so
 * change these in two steps, before creations, which may take a key that an update has freed, and
 * before the models below, whose rows may lie under what was just made.
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
