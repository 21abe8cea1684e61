import type { FieldErrors } from '@netbox-pbs/core'
import type { Checked } from '../validation/check-value.ts'
import { pythonType } from '../validation/python-text.ts'
import { ownValue } from '../validation/validate-item.ts'

/** The fields of a body, and the errors found in them. */
export class BodyFields {
  readonly errors: Record<string, ReadonlyArray<string>> = {}
  readonly #body: object

  constructor(body: object) {
    this.#body = body
  }

  get failed(): boolean {
    return Object.keys(this.errors).length > 0
  }

  /** What the body has under a name; undefined: nothing. */
  given(name: string): unknown {
    return ownValue(this.#body, name)
  }

  /** The value of a field; undefined where it is left out or wrong. */
  read(name: string, check: (input: unknown) => Checked) {
    const given = this.given(name)
    if (given === undefined) return undefined
    const checked = check(given)
    if (checked._tag === 'value') return checked.value
    this.errors[name] = checked.messages
    return undefined
  }

  /** The items of a field that is a list; undefined where it is left out or something else. */
  items(name: string): ReadonlyArray<unknown> | undefined {
    const given = this.given(name)
    if (given === undefined || Array.isArray(given)) return given
    this.errors[name] = [`Expected a list of items but got type "${pythonType(given)}".`]
    return undefined
  }
}

/** What was read of a body, or the errors of its fields. */
export type ReadBody<A> = { readonly input: A } | { readonly errors: FieldErrors }

/** A body that is no object. */
export const notDictionary = (body: unknown): { readonly errors: FieldErrors } => ({
  errors: { __all__: [`Invalid data. Expected a dictionary, but got ${pythonType(body)}.`] },
})
