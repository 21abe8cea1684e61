import type { FieldValue } from '../registry/field.ts'
import type { FieldChange } from '../sync/change.ts'

/**
 * What a merge does to one object of main.
 *
 * - `none`: main already equals the result, or neither side has a change.
 * - `create`: a row that main lacks.
 * - `adopt`: main has gained the same key; its row and its id stay, with these fields changed.
 * - `update`: these fields of the row change. `base` is main's present value.
 * - `delete`: the row goes.
 */
export type Write =
  | { readonly _tag: 'none' }
  | { readonly _tag: 'create'; readonly values: Readonly<Record<string, FieldValue>> }
  | { readonly _tag: 'adopt' | 'update'; readonly fields: ReadonlyArray<FieldChange> }
  | { readonly _tag: 'delete' }
