import type { FieldErrors } from '@netbox-pbs/core'
import type { Caller } from '../http/caller.ts'
import { checkBoolean } from '../validation/check-boolean.ts'
import { checkDatetime } from '../validation/check-datetime.ts'
import { checkInteger } from '../validation/check-integer.ts'
import { checkText } from '../validation/check-text.ts'
import type { Checked } from '../validation/checked.ts'
import { pythonType } from '../validation/python-text.ts'
import { isDictionary, ownValue } from '../validation/validate-item.ts'

/** What a new token is to be. Left out: for the caller, with write access, without an end. */
export interface TokenInput {
  readonly userId: number
  readonly description: string
  readonly write_enabled: boolean
  readonly expires: string | null
}

/** A body for a new token, or what is wrong with it. */
export type ReadToken = { readonly input: TokenInput } | { readonly errors: FieldErrors }

const anyId = { min: 1, max: Number.MAX_SAFE_INTEGER }

/** Reads the body of a new token. Only version 2 is made: version 1 would have to be stored readable. */
export function readTokenInput(body: unknown, caller: Caller): ReadToken {
  if (!isDictionary(body)) {
    return { errors: { __all__: [`Invalid data. Expected a dictionary, but got ${pythonType(body)}.`] } }
  }
  const errors: Record<string, ReadonlyArray<string>> = {}
  const read = (name: string, check: (input: unknown) => Checked) => {
    const given = ownValue(body, name)
    if (given === undefined) return undefined
    const checked = check(given)
    if (checked._tag === 'value') return checked.value
    errors[name] = checked.messages
    return undefined
  }
  const user = ownValue(body, 'user')
  const userId = isDictionary(user) ? ownValue(user, 'id') : user
  const id = userId === undefined ? caller.id : read('user', () => checkInteger(anyId, userId))
  const description = read('description', (input) => checkText({ max: 200 }, input)) ?? ''
  const write_enabled = read('write_enabled', checkBoolean) ?? true
  const expires = ownValue(body, 'expires') === null ? null : (read('expires', checkDatetime) ?? null)
  if (![undefined, 2, '2'].includes(versionOf(body))) errors['version'] = ['Only version 2 tokens are made.']
  if (Object.keys(errors).length > 0) return { errors }
  return {
    input: {
      userId: Number(id),
      description: String(description),
      write_enabled: write_enabled === true,
      expires: expires === null ? null : String(expires),
    },
  }
}

function versionOf(body: object): string | number | undefined {
  const version = ownValue(body, 'version')
  return typeof version === 'string' || typeof version === 'number' || version === undefined ? version : 'other'
}
