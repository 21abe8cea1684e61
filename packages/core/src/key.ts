import type { ModelName } from './registry/field.ts'
import { registry } from './registry/registry.ts'

/**
 * The natural key of a row as one text, by which rows of two sides are matched. Equal keys, equal rows of one model.
 * References are compared by id, text by its own characters: nothing is folded or trimmed.
 */
export function naturalKey(model: ModelName, row: Readonly<Record<string, unknown>>): string {
  const fields: ReadonlyArray<string> = registry[model].key
  let key = ''
  for (let i = 0; i < fields.length; i++) key += `${i === 0 ? '[' : ','}${keyPart(row[fields[i] ?? ''])}`
  return `${key}]`
}

/**
 * `naturalKey` for many rows of one model, such as a list whose rows share all but the end of their keys:
 * what the rows before had in common with this one is not written again.
 */
export function keysOf(model: ModelName): (row: Readonly<Record<string, unknown>>) => string {
  const fields: ReadonlyArray<string> = registry[model].key
  const values: Array<unknown> = fields.map(() => undefined)
  const texts: Array<string> = fields.map((_, i) => `[null${',null'.repeat(i)}`)
  return (row) => {
    let text = ''
    let same = true
    for (let i = 0; i < fields.length; i++) {
      const value = row[fields[i] ?? '']
      same &&= value === values[i]
      if (!same) {
        values[i] = value
        texts[i] = `${i === 0 ? '[' : `${text},`}${keyPart(value)}`
      }
      text = texts[i] ?? ''
    }
    return `${text}]`
  }
}

/** As JSON.stringify writes it. Most text needs no escape, and then quoting it by hand is several times faster. */
function keyPart(value: unknown): string {
  if (typeof value === 'string' && !needsEscape.test(value)) return `"${value}"`
  if (Number.isSafeInteger(value)) return String(value)
  return JSON.stringify(value) ?? 'null'
}

const needsEscape = /[^\x20\x21\x23-\x5b\x5d-\x7e]/
