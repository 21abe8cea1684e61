import type { ModelName } from './registry/field.ts'
import { registry } from './registry/registry.ts'

/**
 * The natural key of a row as one text, by which rows of two sides are matched.
 * References are compared by id, text by its own characters: nothing is folded or trimmed.
 */
export function naturalKey(model: ModelName, row: Readonly<Record<string, unknown>>): string {
  const fields: ReadonlyArray<string> = registry[model].key
  let key = ''
  for (let i = 0; i < fields.length; i++) key += `${i === 0 ? '[' : ','}${keyPart(row[fields[i] ?? ''])}`
  return `${key}]`
}

/**
 * One field of a key, as JSON.stringify writes it. Most text needs no escape, and then adding the
 * quotes directly is several times faster.
 */
export function keyPart(value: unknown): string {
  if (typeof value === 'string' && !needsEscape.test(value)) return `"${value}"`
  if (Number.isSafeInteger(value)) return String(value)
  return JSON.stringify(value) ?? 'null'
}

const needsEscape = /[^\x20\x21\x23-\x5b\x5d-\x7e]/
