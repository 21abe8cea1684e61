import type { ModelName } from './registry/field.ts'
import { registry } from './registry/registry.ts'

/**
 * The natural key of a row as one text, by which rows of two sides are matched. Equal keys, equal rows of one model.
 * References are compared by id, text by its own characters: nothing is folded or trimmed.
 */
export function naturalKey(model: ModelName, row: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(registry[model].key.map((field) => row[field]))
}
