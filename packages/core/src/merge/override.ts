import type { FieldValue, ModelName } from '../registry/field.ts'
import { type Registry, registry } from '../registry/registry.ts'
import { sameValue } from '../sync/same-value.ts'
import type { Conflict, Resolution } from './conflict.ts'

/**
 * A reviewer's decision against one value of a source: sync leaves the field alone while the source
 * keeps that value.
 */
export interface Override {
  readonly field: string
  /** The source's value that the decision rejected. */
  readonly sourceValue: FieldValue
}

/**
 * The override that a resolution in a sync's branch leaves: only for a source fact, and only if the
 * source's value was rejected.
 */
export function overrideOf(model: ModelName, { field, branch }: Conflict, resolution: Resolution): Override | null {
  if (field === null || resolution.choice === 'branch' || resolution.choice === 'skip') return null
  const fields: Readonly<Record<string, { readonly class: string }>> = registry[model]
    .fields satisfies Registry[ModelName]['fields']
  if (fields[field]?.class !== 'source') return null
  if (resolution.choice === 'value' && sameValue(resolution.value, branch)) return null
  return { field, sourceValue: branch }
}

/** Whether an override still applies against the source's present value. */
export const overrideHolds = (pin: Override, sourceValue: FieldValue): boolean =>
  sameValue(pin.sourceValue, sourceValue)
