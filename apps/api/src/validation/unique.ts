import { type Field, type FieldErrors, keyText, type ModelName, naturalKey, registry } from '@netbox-pbs/core'
import type { EditValues } from '@netbox-pbs/core/ports'

/**
 * That another row has this key, or the value of a unique custom field, already, in NetBox's words:
 * under the key's one field, or under `__all__`.
 */
export function keyTakenErrors(model: ModelName, customField?: string): FieldErrors {
  if (customField !== undefined) return { __all__: [`Custom field '${customField}' must have a unique value.`] }
  const { key, label } = registry[model]
  const fields: Readonly<Record<string, Field>> = registry[model].fields
  const labels = key.map((name) => fields[name]?.label ?? name)
  const [only] = key
  if (key.length === 1 && only !== undefined) {
    return { [only]: [`${label.toLowerCase()} with this ${labels[0]?.toLowerCase()} already exists.`] }
  }
  return { __all__: [`${label} with this ${labels.slice(0, -1).join(', ')} and ${labels.at(-1)} already exists.`] }
}

/** A row's key columns, with defaults for those left out; null when one of them is missing. */
export function keyValues(model: ModelName, values: EditValues): EditValues | null {
  const fields: Readonly<Record<string, Field>> = registry[model].fields
  const key: Record<string, EditValues[string]> = {}
  for (const name of registry[model].key) {
    const value = values[name] ?? defaultOf(fields[name])
    if (value === undefined) return null
    key[name] = value
  }
  return key
}

/** Places of rows whose key an earlier row of the same list has. */
export function repeatedKeys(model: ModelName, rows: ReadonlyArray<EditValues | null>): ReadonlySet<number> {
  const seen = new Set<string>()
  const repeated = new Set<number>()
  for (const [index, row] of rows.entries()) {
    if (row === null) continue
    const key = keyText(naturalKey(model, row))
    if (seen.has(key)) repeated.add(index)
    seen.add(key)
  }
  return repeated
}

/** A row of a bulk change, with the text of the key that it has and of the one that it gets. */
export interface KeyMove {
  readonly id: number
  readonly from: string
  readonly to: string
}

/**
 * Places of rows that get a key that is not free: another row has it and keeps it, or an earlier row
 * of the request gets it. A chain of rows may each take the key of the next; a circle is refused, as
 * NetBox refuses it in whatever order it writes the rows.
 */
export function blockedMoves(moves: ReadonlyArray<KeyMove>, holders: ReadonlyMap<string, number>): ReadonlySet<number> {
  const leaving = new Map(moves.filter(({ from, to }) => from !== to).map((move) => [move.id, move]))
  const promised = new Set<string>()
  const blocked = new Set<number>()
  for (const [place, { id, from, to }] of moves.entries()) {
    if (from === to) continue
    if (promised.has(to) || !becomesFree(to, { id, leaving, holders })) blocked.add(place)
    promised.add(to)
  }
  return blocked
}

/** Whether every row leaves that stands in the way of a key, until a key that no row has. */
function becomesFree(
  key: string,
  {
    id,
    leaving,
    holders,
  }: {
    readonly id: number
    readonly leaving: ReadonlyMap<number, KeyMove>
    readonly holders: ReadonlyMap<string, number>
  },
): boolean {
  const passed = new Set([id])
  for (let wanted = key; ; ) {
    const holder = holders.get(wanted)
    if (holder === undefined) return true
    const move = leaving.get(holder)
    if (move === undefined || passed.has(holder)) return false
    passed.add(holder)
    wanted = move.to
  }
}

function defaultOf(field: Field | undefined): EditValues[string] | undefined {
  return field?.type === 'text' || field?.type === 'choice' ? field.default : undefined
}
