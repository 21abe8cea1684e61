import { type FieldValue, type ModelName, sameValue } from '../registry/field.ts'
import { type Registry, registry } from '../registry/registry.ts'
import type { FieldChange } from '../sync/diff.ts'
import type { Conflict, Resolution } from './conflict.ts'
import type { Merged, ThreeSides, Write } from './merge-object.ts'

/** Outcome for a reviewed object: it can be written, it is left out, or it still has open conflicts. */
export type Resolved =
  | { readonly _tag: 'write'; readonly write: Write }
  | { readonly _tag: 'skipped' }
  | { readonly _tag: 'open'; readonly conflicts: ReadonlyArray<Conflict> }

/** Applies a reviewer's resolutions to a merged object. One `skip` leaves the whole object out. */
export function resolve(
  sides: ThreeSides,
  { write, conflicts }: Merged,
  resolutionOf: (conflict: Conflict) => Resolution | null,
): Resolved {
  if (conflicts.length === 0) return { _tag: 'write', write }
  const decided = conflicts.map((conflict) => ({ conflict, resolution: resolutionOf(conflict) }))
  if (decided.some(({ resolution }) => resolution?.choice === 'skip')) return { _tag: 'skipped' }
  const open = decided.filter(({ resolution }) => resolution === null)
  if (open.length > 0) return { _tag: 'open', conflicts: open.map(({ conflict }) => conflict) }
  if (conflicts.some(({ kind, field }) => field === null || kind === 'update_delete')) {
    const branchWins = decided.every(({ resolution }) => resolution?.choice === 'branch')
    return { _tag: 'write', write: branchWins ? branchWrite(sides) : { _tag: 'none' } }
  }
  const fields = new Map(
    (write._tag === 'adopt' || write._tag === 'update' ? write.fields : []).map((c) => [c.field, c]),
  )
  for (const { conflict, resolution } of decided) {
    const change = fieldChange(conflict, resolution)
    if (change !== null) fields.set(change.field, change)
  }
  const changes = [...fields.values()].filter(({ base, value }) => !sameValue(base, value))
  if (write._tag === 'adopt') return { _tag: 'write', write: { _tag: 'adopt', fields: changes } }
  return { _tag: 'write', write: changes.length === 0 ? { _tag: 'none' } : { _tag: 'update', fields: changes } }
}

/** The branch's side, for every state of main. */
function branchWrite({ main, branch, whole }: ThreeSides): Write {
  if (branch === null) return { _tag: 'delete' }
  return main === null ? { _tag: 'create', values: whole ?? branch } : { _tag: 'none' }
}

/**
 * The change for a resolved conflict of a field; null: the merged value stays, which for a map has
 * main's value of the conflicting keys.
 */
function fieldChange({ field, main, branch }: Conflict, resolution: Resolution | null): FieldChange | null {
  if (field === null || resolution === null) return null
  if (resolution.choice === 'branch') return { field, base: main, value: branch }
  return resolution.choice === 'value' ? { field, base: main, value: resolution.value } : null
}

/** Whether a resolution is still valid: none of the values it was given for has changed. */
export function stillHolds(seen: Conflict, now: Conflict): boolean {
  return (
    seen.kind === now.kind &&
    seen.field === now.field &&
    sameValue(seen.base, now.base) &&
    sameValue(seen.main, now.main) &&
    sameValue(seen.branch, now.branch)
  )
}

/**
 * A reviewer's decision against one value of a source: sync leaves the field alone while the source
 * keeps that value.
 */
export interface Override {
  readonly field: string
  /** The source's value that the decision rejected. */
  readonly sourceValue: FieldValue
}

/**
 * The override that a resolution in a sync's branch leaves: only for a source fact, and only if the
 * source's value was rejected.
 */
export function overrideOf(model: ModelName, { field, branch }: Conflict, resolution: Resolution): Override | null {
  if (field === null || resolution.choice === 'branch' || resolution.choice === 'skip') return null
  const fields: Readonly<Record<string, { readonly class: string }>> = registry[model]
    .fields satisfies Registry[ModelName]['fields']
  if (fields[field]?.class !== 'source') return null
  if (resolution.choice === 'value' && sameValue(resolution.value, branch)) return null
  return { field, sourceValue: branch }
}

/** Whether an override still applies against the source's present value. */
export const overrideHolds = (override: Override, sourceValue: FieldValue): boolean =>
  sameValue(override.sourceValue, sourceValue)
