import {
  type Actor,
  type BranchConflict,
  everyModelFields,
  type Field,
  type FieldValue,
  type ModelField,
  type ModelName,
  pageLimits,
  type Resolution,
  registry,
  sameValue,
} from '@netbox-pbs/core'
import { Branches, type ConflictFilter, DefinitionStore } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { invalid } from '../rest/http-error.ts'
import { noSuchField } from '../validation/check-attached.ts'
import { checkCustomValue } from '../validation/check-custom-value.ts'
import { accepted, type Checked, checkValue, rejected } from '../validation/check-value.ts'

/** An answer to some conflicts of a branch; `resolution` null takes their answers back. */
interface Answer {
  readonly id: number
  readonly filter: ConflictFilter
  readonly resolution: Resolution | null
  readonly by: Actor
}

/**
 * Answers conflicts and gives how many. A value is judged by the fields that it is for, so that no
 * merge fails on it later.
 */
export const resolveConflicts = Effect.fn('resolveConflicts')(function* ({ id, filter, resolution, by }: Answer) {
  const branches = yield* Branches
  if (resolution?.choice !== 'value') return yield* branches.resolve({ id, filter, resolution, user: by.user, by })
  const { count, rows } = yield* branches.conflicts({ id, filter, limit: pageLimits.max, offset: 0 })
  if ((count ?? 0) > rows.length)
    return yield* invalid({ value: [`A value resolves at most ${pageLimits.max} conflicts at once: name fewer.`] })
  const definitions = yield* DefinitionStore
  const read = yield* Effect.forEach(rows, (conflict) =>
    conflict.field === 'custom_fields'
      ? Effect.map(definitions.fieldsOf({ model: conflict.model }), (fields) => customFields(fields, resolution.value))
      : Effect.succeed(taken(conflict, resolution.value)),
  )
  const wrong = read.find((checked) => checked?._tag === 'rejected')
  if (wrong?._tag === 'rejected') return yield* invalid({ value: wrong.messages })
  const values = read.flatMap((checked) => (checked?._tag === 'value' ? [checked.value] : []))
  const [value = resolution.value] = values
  if (!values.every((other) => sameValue(value, other)))
    return yield* invalid({ value: ['These fields have values of different kinds: resolve them one by one.'] })
  return yield* branches.resolve({ id, filter, resolution: { choice: 'value', value }, user: by.user, by })
})

/** The value as the field of a conflict takes it; null: the conflict is of a whole object, which no value answers. */
function taken({ model, field: name }: BranchConflict, value: FieldValue) {
  const field = name === null ? undefined : branchedField(model, name)
  return field === undefined ? null : readValue(field, value)
}

/** Custom fields by name, as a row stores them: by their keys. */
function customFields(fields: ReadonlyArray<ModelField>, value: FieldValue): Checked {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return rejected('Expected a dictionary.')
  const stored: Record<string, FieldValue> = {}
  for (const [name, input] of Object.entries(value)) {
    const field = fields.find((one) => one.name === name)
    if (field === undefined) return rejected(noSuchField(name))
    const checked = checkCustomValue(field, input)
    if (checked._tag === 'rejected') return rejected(...checked.messages.map((message) => `${name}: ${message}`))
    stored[field.key] = checked.value
  }
  return accepted(stored)
}

/** A field of a model, of those too that every model has; undefined: there is none of that name. */
export function branchedField(model: ModelName, name: string): Field | undefined {
  const fields: Readonly<Record<string, Field>> = { ...registry[model].fields, ...everyModelFields }
  return Object.hasOwn(fields, name) ? fields[name] : undefined
}

/**
 * The value that resolves a conflict about a field, checked as a write is, also for a field that
 * users may not write.
 */
function readValue(field: Field, input: FieldValue): Checked {
  switch (field.type) {
    case 'reference':
      return rejected('A reference cannot be resolved by a value: choose that of main or of the branch.')
    case 'json':
      return isShapeOf(field.default, input)
        ? accepted(input)
        : rejected(Array.isArray(field.default) ? 'Expected a list.' : 'Expected a dictionary.')
    default:
      return checkValue(field, input)
  }
}

/** A list stays a list, and an object an object. */
const isShapeOf = (sample: unknown, input: FieldValue): boolean =>
  typeof input === 'object' && input !== null && Array.isArray(input) === Array.isArray(sample)
