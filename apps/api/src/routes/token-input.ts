import type { FieldErrors } from '@netbox-pbs/core'
import { readUserReference, type UserReference } from '../accounts/user-reference.ts'
import type { Caller } from '../rest/caller.ts'
import { checkBoolean } from '../validation/check-boolean.ts'
import { checkDatetime } from '../validation/check-datetime.ts'
import { checkText } from '../validation/check-text.ts'
import type { Checked } from '../validation/checked.ts'
import { pythonType } from '../validation/python-text.ts'
import { isDictionary, ownValue } from '../validation/validate-item.ts'

/** What a new token is to be. Left out: for the caller, with write access, until the caller's own token ends. */
export interface TokenInput {
  /** The user that the body names; null means the caller. */
  readonly user: Extract<UserReference, { readonly _tag: 'user' }> | null
  readonly description: string
  readonly write_enabled: boolean
  readonly expires: string | null
}

/** A body for a new token, or what is wrong with it. */
export type ReadToken = { readonly input: TokenInput } | { readonly errors: FieldErrors }

/** NetBox's fields of a token that are not built: with them a token would be other than it was asked for. */
const unbuilt: Readonly<Record<string, (value: unknown) => boolean>> = {
  allowed_ips: (value) => !(Array.isArray(value) && value.length === 0) && value !== null,
  enabled: (value) => value !== true,
  key: (value) => value !== '',
  token: (value) => value !== '',
}

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
  const named = user === undefined ? null : readUserReference(user)
  if (named?._tag === 'rejected') errors['user'] = [named.message]
  const description = read('description', (input) => checkText({ max: 200 }, input)) ?? ''
  const write_enabled = read('write_enabled', checkBoolean) ?? true
  const expires = ownValue(body, 'expires') === null ? null : (read('expires', checkDatetime) ?? caller.expires)
  if (caller.expires !== null && (expires === null || Date.parse(String(expires)) > Date.parse(caller.expires))) {
    errors['expires'] = [`The token of this request ends at ${caller.expires}: one that it makes cannot end later.`]
  }
  if (![undefined, 2, '2'].includes(versionOf(body))) errors['version'] = ['Only version 2 tokens are made.']
  for (const [name, asksForIt] of Object.entries(unbuilt)) {
    const given = ownValue(body, name)
    if (given !== undefined && asksForIt(given)) errors[name] = [`This is not offered yet: leave ${name} out.`]
  }
  if (Object.keys(errors).length > 0) return { errors }
  return {
    input: {
      user: named?._tag === 'user' ? named : null,
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
