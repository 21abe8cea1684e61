import { everyModelFields } from '../registry/every-model.ts'
import type { Field, FieldClass, ModelName } from '../registry/field.ts'
import { registry } from '../registry/registry.ts'
import type { MergeStrategy } from './merge-field.ts'

/** The field classes that merge. */
const merging: ReadonlySet<FieldClass> = new Set<FieldClass>(['key', 'immutable', 'source', 'operator'])

/** A field that merges, by its name; undefined: there is none, or it is an observation or derived. */
export function mergingField(model: ModelName, name: string): Field | undefined {
  const fields: Readonly<Record<string, Field>> = { ...registry[model].fields, ...everyModelFields }
  const field = fields[name]
  return field !== undefined && merging.has(field.class) ? field : undefined
}

/** How a merge treats the values of a field. */
export const strategyOf = (field: Field): MergeStrategy => (field.type === 'json' ? (field.merge ?? 'whole') : 'whole')
