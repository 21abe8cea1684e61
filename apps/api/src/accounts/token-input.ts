import { formatTimestamp } from '@netbox-pbs/core'
import type { ApiTokenChange } from '@netbox-pbs/core/ports'
import type { Caller } from '../rest/caller.ts'
import { accepted, type Checked, checkBoolean, checkDatetime, checkText, rejected } from '../validation/check-value.ts'
import { pythonType } from '../validation/python-text.ts'
import { isDictionary } from '../validation/validate-item.ts'
import { readNetwork } from './allowed-networks.ts'
import { BodyFields, notDictionary, type ReadBody } from './body-fields.ts'
import { readUserReference, type UserReference } from './user-reference.ts'

/** A new token as a body asks for it. By default it may write and ends with the caller's own token. */
export interface TokenInput {
  /** The user that the body names; null means the caller. */
  readonly user: Extract<UserReference, { readonly _tag: 'user' }> | null
  readonly version: 1 | 2
  /** The secret that the body chooses; null: a random one. */
  readonly token: string | null
  readonly description: string
  readonly enabled: boolean
  readonly write_enabled: boolean
  readonly expires: string | null
  readonly allowed_ips: ReadonlyArray<string>
}

/** The end of the token that a request was authenticated with, and the time of the request in milliseconds. */
type TokenContext = Pick<Caller, 'expires'> & { readonly now: number }

/** Networks of one token. */
const maxNetworks = 100

/** Reads the body of a new token. */
export function readTokenInput(body: unknown, context: TokenContext): ReadBody<TokenInput> {
  if (!isDictionary(body)) return notDictionary(body)
  const fields = new BodyFields(body)
  const user = fields.given('user')
  const named = user === undefined ? null : readUserReference(user)
  if (named?._tag === 'rejected') fields.errors['user'] = [named.message]
  const change = readChange(fields, context)
  const { expires = context.expires } = change
  if (typeof expires === 'string' && Date.parse(expires) <= context.now && fields.errors['expires'] === undefined)
    fields.errors['expires'] = [
      `Expiration time must be in the future. Current server time is ${formatTimestamp(
        Math.floor(context.now / 1000) * 1000,
      )
        .slice(0, 19)
        .replace('T', ' ')} (UTC).`,
    ]
  const version = fields.read('version', checkVersion) ?? 2
  const token = fields.read('token', checkSecret) ?? null
  const key = fields.given('key')
  if (key !== undefined && key !== '' && key !== null) fields.errors['key'] = ['The key is made here: leave key out.']
  if (fields.failed) return { errors: fields.errors }
  return {
    input: {
      description: '',
      enabled: true,
      write_enabled: true,
      allowed_ips: [],
      ...change,
      expires,
      user: named?._tag === 'user' ? named : null,
      version: version === 1 ? 1 : 2,
      token: token === null ? null : String(token),
    },
  }
}

/** Reads the body of a change. The user, the version and the secret of a token cannot be changed. */
export function readTokenChange(body: unknown, context: TokenContext): ReadBody<ApiTokenChange> {
  if (!isDictionary(body)) return notDictionary(body)
  const fields = new BodyFields(body)
  const token = fields.given('token')
  if (token !== undefined && token !== null && token !== '')
    fields.errors['token'] = ['The token itself cannot be changed: create another one.']
  const input = readChange(fields, context)
  return fields.failed ? { errors: fields.errors } : { input }
}

function readChange(fields: BodyFields, { expires: ends }: TokenContext): ApiTokenChange {
  const description = fields.read('description', (given) => checkText({ max: 200 }, given))
  const enabled = fields.read('enabled', checkBoolean)
  const write_enabled = fields.read('write_enabled', checkBoolean)
  const expires = fields.read('expires', (given) => (given === null ? accepted(null) : checkDatetime(given)))
  if (ends !== null && expires !== undefined && (expires === null || Date.parse(String(expires)) > Date.parse(ends)))
    fields.errors['expires'] = [`The token of this request ends at ${ends}: no token that it writes can end later.`]
  const allowed_ips = readNetworks(fields)
  return {
    ...(description === undefined ? {} : { description: String(description) }),
    ...(enabled === undefined ? {} : { enabled: enabled === true }),
    ...(write_enabled === undefined ? {} : { write_enabled: write_enabled === true }),
    ...(expires === undefined ? {} : { expires: expires === null ? null : String(expires) }),
    ...(allowed_ips === undefined ? {} : { allowed_ips }),
  }
}

function readNetworks(fields: BodyFields): ReadonlyArray<string> | undefined {
  const texts = fields.given('allowed_ips') === null ? [] : fields.items('allowed_ips')
  if (texts === undefined) return undefined
  const networks = texts.map((text) => (typeof text === 'string' ? readNetwork(text) : null))
  const wrong = texts[networks.indexOf(null)]
  if (wrong !== undefined)
    fields.errors['allowed_ips'] = [
      `${typeof wrong === 'string' ? wrong.slice(0, 100) : pythonType(wrong)} is not a network: write it like 192.0.2.0/24 or 2001:db8::/32.`,
    ]
  if (texts.length > maxNetworks) fields.errors['allowed_ips'] = [`At most ${maxNetworks} networks can be given.`]
  return networks.filter((network) => network !== null)
}

const checkVersion = (input: unknown): Checked =>
  [1, 2, '1', '2'].some((version) => version === input)
    ? accepted(Number(input))
    : rejected(
        `"${typeof input === 'object' ? pythonType(input) : String(input).slice(0, 100)}" is not a valid choice.`,
      )

const checkSecret = (input: unknown): Checked =>
  typeof input === 'string' && /^[A-Za-z0-9]{40}$/.test(input)
    ? accepted(input)
    : rejected('A token is 40 letters and digits: leave token out, and a random one is made.')
