import type { Field } from '../registry/field.ts'
import type { FieldChange } from '../sync/change.ts'
import { sameValue } from '../sync/same-value.ts'
import type { Conflict, ConflictKind } from './conflict.ts'
import { mergeField } from './merge-field.ts'
import { mergingField, strategyOf } from './merging-fields.ts'
import type { FieldValues, ThreeSides } from './three-sides.ts'
import type { Write } from './write.ts'

/** The write of an object's merge, and its conflicts. With conflicts `write` is the part that both sides agree on. */
export interface Merged {
  readonly write: Write
  readonly conflicts: ReadonlyArray<Conflict>
}

/**
 * Merges one object: the fifteen cases of what base, main and branch can be. Observations and derived
 * values take no part. An object created on both sides keeps main's row and id.
 *
 * A sync's branch read the source later than main: rows it lists come back although a user deleted
 * them, and rows it lacks are deleted although a user edited them.
 */
export function mergeObject(sides: ThreeSides): Merged {
  const { base, main, branch, whole: row } = sides
  if (branch === null) return main === null || base === null ? nothing : mergeDeletion(sides, base, main)
  if (main !== null) return mergeFields(sides, main, branch)
  if (base !== null && !touches(base, branch)) return nothing
  if (base === null || sides.author === 'sync') return agreed({ _tag: 'create', values: row ?? branch })
  return { write: none, conflicts: [ofWhole('delete_update')] }
}

const none: Write = { _tag: 'none' }
const agreed = (write: Write): Merged => ({ write, conflicts: [] })
const nothing = agreed(none)
const ofWhole = (kind: ConflictKind): Conflict => ({ kind, field: null, base: null, main: null, branch: null })

const touches = (base: FieldValues, branch: FieldValues): boolean =>
  Object.entries(branch).some(([field, value]) => !sameValue(base[field] ?? null, value))

function mergeDeletion({ model, author }: ThreeSides, base: FieldValues, main: FieldValues): Merged {
  const conflicts: Array<Conflict> = []
  let operatorOnly = true
  for (const [name, was] of Object.entries(base)) {
    const is = main[name] ?? null
    const field = mergingField(model, name)
    if (field === undefined || sameValue(was, is)) continue
    operatorOnly &&= field.class === 'operator'
    conflicts.push({ kind: 'update_delete', field: name, base: was, main: is, branch: null })
  }
  const lands = conflicts.length === 0 || (author === 'sync' && operatorOnly)
  return lands ? agreed({ _tag: 'delete' }) : { write: none, conflicts }
}

function mergeFields({ model, base }: ThreeSides, main: FieldValues, branch: FieldValues): Merged {
  const fields: Array<FieldChange> = []
  const conflicts: Array<Conflict> = []
  for (const [name, branchValue] of Object.entries(branch)) {
    const field = mergingField(model, name)
    if (field === undefined) continue
    const is = main[name] ?? null
    const was = base === null ? undefined : (base[name] ?? null)
    const merged = mergeField(strategyOf(field), { base: was, main: is, branch: branchValue })
    if (merged._tag === 'take') fields.push({ field: name, base: is, value: merged.value })
    if (merged._tag !== 'clash') continue
    if (!sameValue(is, merged.merged)) fields.push({ field: name, base: is, value: merged.merged })
    conflicts.push({ kind: kindOf(base, field), field: name, base: was ?? null, main: is, branch: branchValue })
  }
  if (base === null) return { write: { _tag: 'adopt', fields }, conflicts }
  return { write: fields.length === 0 ? none : { _tag: 'update', fields }, conflicts }
}

function kindOf(base: FieldValues | null, field: Field): ConflictKind {
  if (field.class === 'immutable') return 'integrity'
  return base === null ? 'create_create' : 'update_update'
}
