import type { ModelName } from '../registry/field.ts'
import { registry } from '../registry/registry.ts'

/** A row with the columns that its model's order reads. */
export type OrderedRow = Readonly<Record<string, unknown>> & { readonly id: number; readonly serverName: string }

/**
 * Compares rows of a model as a list without `ordering` places them. Text is compared by code
 * points, as the database does; the id decides between equal rows.
 */
export function compareInModelOrder(model: ModelName): (a: OrderedRow, b: OrderedRow) => number {
  const terms = registry[model].order.map((term) => {
    const descending = term.startsWith('-')
    const field = descending ? term.slice(1) : term
    return { field: field === 'server' ? 'serverName' : field, sign: descending ? -1 : 1 }
  })
  return (a, b) => {
    for (const { field, sign } of terms) {
      const compared = compareText(String(a[field] ?? ''), String(b[field] ?? ''))
      if (compared !== 0) return compared * sign
    }
    return a.id - b.id
  }
}

function compareText(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length)
  for (let at = 0; at < shorter; at += 1) {
    const [one, other] = [a.charCodeAt(at), b.charCodeAt(at)]
    if (one !== other) return codePointRank(one) - codePointRank(other)
  }
  return a.length - b.length
}

/** Halves of surrogate pairs, which stand for the highest code points, come after all other units. */
function codePointRank(unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}
