import type { FieldValue } from '@netbox-pbs/core'

/** A value that a field takes, or why not, in NetBox's words. */
export type Checked =
  | { readonly _tag: 'value'; readonly value: FieldValue }
  | { readonly _tag: 'rejected'; readonly messages: ReadonlyArray<string> }

/** The field takes this value. */
export const accepted = (value: FieldValue): Checked => ({ _tag: 'value', value })

/** The field does not take it. */
export const rejected = (...messages: ReadonlyArray<string>): Checked => ({ _tag: 'rejected', messages })

/** Null for a field that has none. */
export const notNull = rejected('This field may not be null.')

/** Blank text for a field that needs some. */
export const notBlank = rejected('This field may not be blank.')
