import { passwordLength, type Role, roles } from '@netbox-pbs/core'
import type { NewUser, UserRights } from '@netbox-pbs/core/ports'
import { Redacted } from 'effect'
import { z } from 'zod'
import { accepted, type Checked, checkBoolean, checkText, rejected } from '../validation/check-value.ts'
import { pythonText, pythonType } from '../validation/python-text.ts'
import { isDictionary } from '../validation/validate-item.ts'
import { BodyFields, notDictionary, type ReadBody } from './body-fields.ts'

/** A change of a user as a body asks for it: the password is not hashed yet, and servers have ids or names. */
export interface UserInput extends Partial<Omit<NewUser, 'passwordHash' | 'servers'>> {
  readonly password?: Redacted.Redacted<string>
  readonly servers?: ReadonlyArray<number | string> | null
}

/** Servers of one user. */
const maxServers = 1000

/** Reads the body of a new user, or of a change. */
export function readUserInput(body: unknown, mode: 'create' | 'change'): ReadBody<UserInput> {
  if (!isDictionary(body)) return notDictionary(body)
  const fields = new BodyFields(body)
  if (mode === 'create')
    for (const name of ['username', 'password'])
      if (fields.given(name) === undefined) fields.errors[name] = ['This field is required.']
  const texts = Object.fromEntries(
    (['first_name', 'last_name'] as const).flatMap((name) => {
      const value = fields.read(name, (given) => checkText({ max: 150 }, given))
      return value === undefined ? [] : [[name, String(value)]]
    }),
  )
  const username = fields.read('username', checkUsername)
  const email = fields.read('email', checkEmail)
  const is_active = fields.read('is_active', checkBoolean)
  const role = fields.read('role', checkRole)
  const password = fields.read('password', checkPassword)
  const servers = readServers(fields)
  for (const [name, why] of Object.entries(unbuilt)) {
    const given = fields.given(name)
    if (given === true || (Array.isArray(given) && given.length > 0)) fields.errors[name] = [why]
  }
  if (fields.failed) return { errors: fields.errors }
  return {
    input: {
      ...texts,
      ...(username === undefined ? {} : { username: String(username) }),
      ...(email === undefined ? {} : { email: String(email) }),
      ...(is_active === undefined ? {} : { is_active: is_active === true }),
      ...(role === undefined ? {} : { role: roles.find((one) => one === role) ?? 'viewer' }),
      ...(password === undefined ? {} : { password: Redacted.make(String(password)) }),
      ...(servers === undefined ? {} : { servers }),
    },
  }
}

/** NetBox's fields of a user that are not built: with them a user could do other things than the sender thinks. */
const unbuilt = {
  groups: 'Groups are not offered: give the user a role.',
  permissions: 'Permissions are not offered: give the user a role, and servers.',
  is_staff: 'This is not offered: give the user a role.',
  is_superuser: 'This is not offered: give the user the role admin.',
} as const

/** The sentence for an admin who would not see all servers. */
export const adminSeesAll = 'An admin sees all servers: leave servers out, or give another role.'

/** Whether a user may have these rights. */
export const areRights = ({ role, servers }: UserRights): boolean => role !== 'admin' || servers === null

function readServers(fields: BodyFields): ReadonlyArray<number | string> | null | undefined {
  if (fields.given('servers') === null) return null
  const items = fields.items('servers')
  if (items === undefined) return undefined
  const wrong = items.find((item) => typeof item !== 'string' && !Number.isSafeInteger(item))
  if (wrong !== undefined)
    fields.errors['servers'] = [`${pythonText(wrong)} is neither the id nor the name of a server.`]
  if (items.length > maxServers) fields.errors['servers'] = [`At most ${maxServers} servers can be given.`]
  return items.filter((item): item is number | string => typeof item === 'string' || typeof item === 'number')
}

function checkUsername(input: unknown): Checked {
  const checked = checkText({ max: 150, required: true }, input)
  if (checked._tag === 'rejected' || /^[\p{L}\p{N}_.@+-]+$/u.test(String(checked.value))) return checked
  return rejected('Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.')
}

function checkEmail(input: unknown): Checked {
  const checked = checkText({ max: 254 }, input)
  if (checked._tag === 'rejected' || checked.value === '' || z.email().safeParse(checked.value).success) return checked
  return rejected('Enter a valid email address.')
}

/** Spaces at the ends of a password are part of it. */
function checkPassword(input: unknown): Checked {
  if (typeof input !== 'string') return rejected(input === null ? 'This field may not be null.' : 'Not a valid string.')
  if (!input.isWellFormed() || input.includes('\0')) return rejected('Not a valid string.')
  const length = [...input].length
  if (length > passwordLength.max)
    return rejected(`Ensure this field has no more than ${passwordLength.max} characters.`)
  return length >= passwordLength.min
    ? accepted(input)
    : rejected(`This password is too short. It must contain at least ${passwordLength.min} characters.`)
}

function checkRole(input: unknown): Checked {
  if (typeof input === 'object' && input !== null)
    return rejected('Value must be passed directly (e.g. "foo": 123); do not use a dictionary or list.')
  return roles.some((role: Role) => role === input)
    ? accepted(String(input))
    : rejected(`${typeof input === 'string' ? input.slice(0, 100) : pythonType(input)} is not a valid choice.`)
}
