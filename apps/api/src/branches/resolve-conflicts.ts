import {
  type Actor,
  type BranchConflict,
  type FieldValue,
  pageLimits,
  type Resolution,
  sameValue,
} from '@netbox-pbs/core'
import { Branches, type ConflictFilter } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { invalid } from '../rest/http-error.ts'
import { branchedField, readValue } from './read-value.ts'

/** An answer to some conflicts of a branch; `resolution` null takes their answers back. */
export interface Answer {
  readonly id: number
  readonly filter: ConflictFilter
  readonly resolution: Resolution | null
  readonly by: Actor
}

/** Answers conflicts and gives how many. A value is judged by the fields that it is for, so that no merge fails on it later. */
export const resolveConflicts = Effect.fn('resolveConflicts')(function* ({ id, filter, resolution, by }: Answer) {
  const branches = yield* Branches
  if (resolution?.choice !== 'value') return yield* branches.resolve({ id, filter, resolution, user: by.user, by })
  const { count, rows } = yield* branches.conflicts({ id, filter, limit: pageLimits.max, offset: 0 })
  if (count > rows.length)
    return yield* invalid({ value: [`A value answers at most ${pageLimits.max} conflicts at once: name fewer.`] })
  const read = rows.map((conflict) => taken(conflict, resolution.value))
  const wrong = read.find((checked) => checked?._tag === 'rejected')
  if (wrong?._tag === 'rejected') return yield* invalid({ value: wrong.messages })
  const values = read.flatMap((checked) => (checked?._tag === 'value' ? [checked.value] : []))
  const [value = resolution.value] = values
  if (!values.every((other) => sameValue(value, other)))
    return yield* invalid({ value: ['These fields hold values of different kinds: answer them one by one.'] })
  return yield* branches.resolve({ id, filter, resolution: { choice: 'value', value }, user: by.user, by })
})

/** The value as the field of a conflict takes it; null: the conflict is of a whole object, which no value answers. */
function taken({ model, field: name }: BranchConflict, value: FieldValue) {
  const field = name === null ? undefined : branchedField(model, name)
  return field === undefined ? null : readValue(field, value)
}
