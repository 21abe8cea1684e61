import { listOf, mapOf } from '../merge/merge-field.ts'
import type { FieldValues } from '../merge/merge-object.ts'
import { type FieldValue, sameValue } from '../registry/field.ts'

/**
 * Edits of tags and custom fields that depend on the values a row has: members that come or go, and
 * keys that are set while the others stay. A write computes the whole values from them under the
 * row's lock, so that none of two edits at once is lost.
 */
export const operatorEdits = ['add_tags', 'remove_tags', 'set_custom_fields'] as const

/** Whether a write has such an edit. */
export const hasOperatorEdits = (values: FieldValues): boolean =>
  operatorEdits.some((name) => Object.hasOwn(values, name))

/** The values of a write with its edits applied to what the row has: `tags` and `custom_fields` as a whole. */
export function appliedEdits(row: FieldValues, values: FieldValues): FieldValues {
  if (!hasOperatorEdits(values)) return values
  const { add_tags: added, remove_tags: removed, set_custom_fields: set, ...whole } = values
  const tags = listOf(whole['tags'] ?? row['tags'])
  const fields = mapOf(whole['custom_fields'] ?? row['custom_fields'])
  return {
    ...whole,
    ...(added === undefined && removed === undefined ? {} : { tags: changedSet(tags, listOf(added), listOf(removed)) }),
    ...(set === undefined ? {} : { custom_fields: { ...fields, ...mapOf(set) } }),
  }
}

function changedSet(
  tags: ReadonlyArray<FieldValue>,
  added: ReadonlyArray<FieldValue>,
  removed: ReadonlyArray<FieldValue>,
): ReadonlyArray<FieldValue> {
  const has = (members: ReadonlyArray<FieldValue>, member: FieldValue) =>
    members.some((other) => sameValue(other, member))
  const kept = tags.filter((tag) => !has(removed, tag))
  return [...kept, ...added.filter((tag) => !has(kept, tag) && !has(removed, tag))]
}
