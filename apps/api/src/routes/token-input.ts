import type { FieldErrors } from '@netbox-pbs/core'
import type { Caller } from '../rest/caller.ts'
import { type Checked, checkBoolean, checkDatetime, checkText } from '../validation/check-value.ts'
import { pythonText, pythonType } from '../validation/python-text.ts'
import { isDictionary, ownValue } from '../validation/validate-item.ts'

/** The fields of a new token. The defaults are the caller, write access, and the end of the caller's own token. */
export interface TokenInput {
  /** The user that the body names; null means the caller. */
  readonly user: Extract<UserReference, { readonly _tag: 'user' }> | null
  readonly description: string
  readonly write_enabled: boolean
  readonly expires: string | null
}

/** A body for a new token, or its errors. */
type ReadToken = { readonly input: TokenInput } | { readonly errors: FieldErrors }

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

/** How a body names a user: the attributes to match, and the error when no user has them. */
type UserReference =
  | { readonly _tag: 'user'; readonly id: number | null; readonly username: string | null; readonly notFound: string }
  | { readonly _tag: 'rejected'; readonly message: string }

/** Reads how a body names a user, as NetBox does: by id, or by a dictionary of attributes. It looks nothing up. */
function readUserReference(input: unknown): UserReference {
  if (input === null) return rejected('This field may not be null.')
  if (isId(input)) {
    return {
      _tag: 'user',
      id: Number(input),
      username: null,
      notFound: `Related object not found using the provided numeric ID: ${input}`,
    }
  }
  if (typeof input !== 'object' || Array.isArray(input)) {
    const text = typeof input === 'string' ? input : pythonText(input)
    return rejected(
      `Related objects must be referenced by numeric ID or by dictionary of attributes. Received an unrecognized value: ${text}`,
    )
  }
  const attributes = new Map<string, unknown>(Object.entries(input))
  const notFound = `Related object not found using the provided attributes: ${pythonText(input)}`
  const unknown = [...attributes.keys()].find((name) => name !== 'id' && name !== 'username')
  if (unknown !== undefined) {
    return rejected(`Cannot resolve keyword ${pythonText(unknown)} into field. Choices are: id, username`)
  }
  const [id, username] = [attributes.get('id'), attributes.get('username')]
  if (id !== undefined && !isId(id)) return rejected(`Field 'id' expected a number but got ${pythonText(id)}.`)
  if (attributes.size === 0 || (username !== undefined && !isName(username))) return rejected(notFound)
  return {
    _tag: 'user',
    id: id === undefined ? null : Number(id),
    username: isName(username) ? username : null,
    notFound,
  }
}

const rejected = (message: string): UserReference => ({ _tag: 'rejected', message })

const isId = (input: unknown): input is number | string =>
  typeof input === 'number' ? Number.isInteger(input) : typeof input === 'string' && /^\s*[+-]?\d{1,30}\s*$/.test(input)

/** Text that a database can be asked for. */
const isName = (input: unknown): input is string =>
  typeof input === 'string' && !input.includes('\0') && input.isWellFormed()
