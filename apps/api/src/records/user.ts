import { passwordLength, roles, userFields } from '@netbox-pbs/core'
import type { User as StoredUser } from '@netbox-pbs/core/ports'
import { z } from 'zod'
import { usersPath } from '../rest/links.ts'
import { recordFilter, search } from '../rest/read-filter.ts'
import { choiceOf, time } from './fields.ts'

/** A user, without the password. */
export const User = z.object({
  id: z.int(),
  url: z.url(),
  display: z.string(),
  username: z.string(),
  first_name: z.string(),
  last_name: z.string(),
  email: z.string(),
  is_active: z.boolean(),
  role: choiceOf(roles),
  servers: z
    .array(z.int())
    .nullable()
    .describe('Ids of the servers that the user sees; null: all of them. An admin sees all.'),
  date_joined: time,
  last_login: time.nullable().describe('The last login with the password.'),
  has_password: z.boolean().describe('Without a password the user has API tokens only.'),
  groups: z.array(z.never()).describe('There are none: a role says what a user may do.'),
  permissions: z.array(z.never()).describe('There are none.'),
})

/** The filters of the list of users. */
export const userFilter = recordFilter<{ readonly search?: string }>(User, {
  fields: userFields,
  parameters: { search: search('q') },
  // Of NetBox's groups and permissions there are none.
  unbuilt: ['group', 'group_id', 'permission_id', 'notification_group_id', 'is_superuser', 'is_staff'],
})

/** The body that changes a user. */
export const UserChange = z.object({
  username: z.string().max(150).optional(),
  password: z.string().min(passwordLength.min).max(passwordLength.max).meta({ writeOnly: true }).optional(),
  first_name: z.string().max(150).optional(),
  last_name: z.string().max(150).optional(),
  email: z.string().max(254).optional(),
  is_active: z.boolean().optional(),
  role: z.enum(roles).optional(),
  servers: z
    .array(z.union([z.int(), z.string()]))
    .nullable()
    .optional()
    .describe('Servers by id or name.'),
})

/** The body that creates a user. By default the user is an active viewer of all servers. */
export const UserRequest = UserChange.required({ username: true, password: true })

/** The body that changes one of many users. */
export const UserChangeOfMany = UserChange.extend({ id: z.int() })

const labels = { viewer: 'Viewer', operator: 'Operator', admin: 'Admin' } as const

/** A user as REST answers it. */
export const servedUser = (base: string, user: StoredUser): z.infer<typeof User> => {
  const { id, username, first_name, last_name, email, is_active, role, servers, has_password } = user
  const name = [first_name, last_name].filter((part) => part !== '').join(' ')
  return {
    id,
    url: `${base}${usersPath}${id}/`,
    display: name === '' ? username : `${username} (${name})`,
    username,
    first_name,
    last_name,
    email,
    is_active,
    role: { value: role, label: labels[role] },
    servers: servers === null ? null : [...servers],
    date_joined: user.created,
    last_login: user.last_login,
    has_password,
    groups: [],
    permissions: [],
  }
}
