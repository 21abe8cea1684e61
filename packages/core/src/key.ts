import type { ModelName } from './registry/field.ts'
import { type Facts, type Registry, registry } from './registry/registry.ts'

type ValuesOf<M extends ModelName, Fields extends ReadonlyArray<unknown>> = {
  readonly [I in keyof Fields]: Fields[I] extends keyof Facts<M> ? Facts<M>[Fields[I]] : never
}

/** The natural key of a row: the values of its key columns, in the order of the model's key. References are ids. */
export type NaturalKey<M extends ModelName = ModelName> = M extends ModelName ? ValuesOf<M, Registry[M]['key']> : never

/**
 * The natural key of a row, neither folded nor trimmed. `within`: key columns that the row leaves
 * out, because all rows of its list have them in common.
 */
export function naturalKey<M extends ModelName>(
  model: M,
  row: Readonly<Record<string, unknown>>,
  within: Readonly<Record<string, unknown>> = row,
): NaturalKey<M> {
  const fields: ReadonlyArray<string> = registry[model].key
  const key: Array<unknown> = []
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i] ?? ''
    key.push(within[field] ?? row[field])
  }
  return key as unknown as NaturalKey<M> // border: the registry says what its columns hold
}

/** A key as one text, for maps and sets: the JSON list of its values. */
export function keyText(key: NaturalKey): string {
  let text = ''
  for (let i = 0; i < key.length; i++) text += `${i === 0 ? '[' : ','}${keyPart(key[i])}`
  return `${text}]`
}

/** The key of a snapshot's group. */
export const groupKeyOf = ([server, datastore, namespace, type, id]: NaturalKey<'snapshot'>): NaturalKey<'group'> => [
  server,
  datastore,
  namespace,
  type,
  id,
]

/** Orders keys by their values, the first column first. Keys of one model only. */
export function compareKeys(a: NaturalKey, b: NaturalKey): number {
  for (let i = 0; i < a.length; i++) {
    const [one, other] = [a[i] ?? '', b[i] ?? '']
    if (one !== other) return one < other ? -1 : 1
  }
  return 0
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
