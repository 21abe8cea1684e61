import { keysOf } from '../key.ts'
import type { Field, FieldValue, ModelName } from '../registry/field.ts'
import { type Facts, modelNames, registry } from '../registry/registry.ts'
import type { Change, Delete, FieldChange, Update } from './change.ts'
import type { Presence } from './presence.ts'
import { sameValue } from './same-value.ts'

/** A row of main as diff sees it. */
export interface MainRow<M extends ModelName> {
  readonly id: number
  readonly presence: Presence
  readonly facts: Facts<M>
}

/** What diff compares: two sides of the same set of keys. */
export interface DiffInput<M extends ModelName> {
  readonly model: M
  readonly main: Iterable<MainRow<M>>
  readonly source: Iterable<Facts<M>>
  /** The source side lists its set to the end, so that a row it lacks is gone. Without it nothing is deleted. */
  readonly complete: boolean
}

/** The changes, ordered by key so that the order of the input does not matter, and how many rows were equal. */
export interface DiffResult<M extends ModelName> {
  readonly changes: ReadonlyArray<Change<M>>
  readonly unchanged: number
}

/**
 * Decides what counts as a change, and nothing else does. Only immutable and source fields are compared; the operator's fields, observations
 * and derived values are never read. A key listed twice by the source counts once, the last one. Rows made by hand stay until the source reports their key.
 */
export function diff<M extends ModelName>({ model, main, source, complete }: DiffInput<M>): DiffResult<M> {
  const wanted = new Map<string, Facts<M>>()
  const keyOf = keysOf(model)
  for (const facts of source) wanted.set(keyOf(facts), facts)

  const compared = comparedFields(model)
  const changes: Array<Change<M>> = []
  let unchanged = 0
  for (const row of main) {
    const key = keyOf(row.facts)
    const facts = wanted.get(key)
    if (facts === undefined) {
      if (complete && row.presence !== 'manual') changes.push(deletionOf(row, key))
      continue
    }
    wanted.delete(key)
    const update = updateOf(compared, row, facts, key)
    if (update === null) unchanged++
    else changes.push(update)
  }
  for (const [key, values] of wanted) changes.push({ _tag: 'create', key, values })
  changes.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  return { changes, unchanged }
}

type Compared = ReadonlyArray<{ readonly name: string; readonly field: Field }>

/** Worked out once a model: a sync calls diff for each group. */
const comparedByModel = new Map<ModelName, Compared>(modelNames.map((model) => [model, comparedOf(model)]))

function comparedFields(model: ModelName): Compared {
  return comparedByModel.get(model) ?? comparedOf(model)
}

function comparedOf(model: ModelName): Compared {
  return Object.entries<Field>(registry[model].fields)
    .filter(([, { class: c }]) => c === 'immutable' || c === 'source')
    .map(([name, field]) => ({ name, field }))
}

function deletionOf({ id, presence }: MainRow<ModelName>, key: string): Delete {
  return { _tag: 'delete', id, key, ...(presence === 'missing' ? { missing: true } : {}) }
}

function updateOf<M extends ModelName>(
  compared: Compared,
  row: MainRow<M>,
  facts: Facts<M>,
  key: string,
): Update | null {
  const before: Readonly<Record<string, FieldValue>> = row.facts
  const after: Readonly<Record<string, FieldValue>> = facts
  const fields: Array<FieldChange> = []
  for (const { name: field } of compared) {
    const base = before[field] ?? null
    const value = after[field] ?? null
    if (base !== value && !sameValue(base, value)) fields.push({ field, base, value })
  }
  const appears = row.presence !== 'listed'
  if (fields.length === 0 && !appears) return null
  return { _tag: 'update', id: row.id, key, fields, appears, broken: brokenFields(compared, before, fields) }
}

/** Immutable fields hold from the moment an object is finished; before that they grow. */
function brokenFields(
  compared: Compared,
  before: Readonly<Record<string, FieldValue>>,
  changed: ReadonlyArray<FieldChange>,
): ReadonlyArray<string> {
  if (before['finished'] === false) return []
  const names = new Set(changed.map((change) => change.field))
  return compared
    .filter(
      ({ name, field }) =>
        field.class === 'immutable' && names.has(name) && (field.witness === undefined || names.has(field.witness)),
    )
    .map(({ name }) => name)
}
