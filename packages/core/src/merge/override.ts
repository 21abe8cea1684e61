import type { FieldValue, ModelName } from '../registry/field.ts'
import { type Registry, registry } from '../registry/registry.ts'
import { sameValue } from '../sync/same-value.ts'
import type { Conflict, Resolution } from './conflict.ts'

/** A reviewer's decision against one value of a source: sync leaves the field alone while the source still says it. */
export interface Override {
  readonly field: string
  /** What the source said when it was decided against. */
  readonly sourceValue: FieldValue
}

/** The pin that a resolution in a sync's branch leaves behind: only of a source fact, and only of one that did not get the source's value. */
export function overrideOf(model: ModelName, { field, branch }: Conflict, resolution: Resolution): Override | null {
  if (field === null || resolution.choice === 'branch' || resolution.choice === 'skip') return null
  const fields: Readonly<Record<string, { readonly class: string }>> = registry[model]
    .fields satisfies Registry[ModelName]['fields']
  if (fields[field]?.class !== 'source') return null
  if (resolution.choice === 'value' && sameValue(resolution.value, branch)) return null
  return { field, sourceValue: branch }
}

/** Whether a pin still holds the field against what the source says now. */
export const overrideHolds = (pin: Override, sourceValue: FieldValue): boolean =>
  sameValue(pin.sourceValue, sourceValue)
