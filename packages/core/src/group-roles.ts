import { type Role, roleAllows, roles } from './access.ts'

/** The role of the members of one group; `*` is everybody. */
export interface GroupRole {
  readonly group: string
  readonly role: Role
}

/** Most groups that can have a role. */
const mostGroups = 100

/**
 * Reads `group=role` pairs with commas between them, as in `pbs-admins=admin, backup=operator, *=viewer`.
 * A group may hold any character but a comma; the last `=` ends it. Returns the error instead where
 * the text is wrong.
 */
export function parseGroupRoles(text: string): ReadonlyArray<GroupRole> | string {
  const parts = text.split(',').map((part) => part.trim())
  const pairs = parts.filter((part) => part !== '')
  if (pairs.length === 0) return 'names no group: give pairs such as pbs-admins=admin'
  if (pairs.length > mostGroups) return `names more than ${mostGroups} groups`
  const read: Array<GroupRole> = []
  for (const pair of pairs) {
    const at = pair.lastIndexOf('=')
    const group = pair.slice(0, Math.max(at, 0)).trim()
    const name = pair.slice(at + 1).trim()
    const role = roles.find((one) => one === name)
    if (group === '') return `has a part without a group: ${pair}`
    if (role === undefined) return `gives ${group} the role ${name}: it must be one of ${roles.join(', ')}`
    if (read.some((one) => one.group === group)) return `names ${group} twice`
    read.push({ group, role })
  }
  return read
}

/** The highest role of a member of these groups; null: none of them has a role. */
export function roleOfGroups(rules: ReadonlyArray<GroupRole>, groups: ReadonlyArray<string>): Role | null {
  let highest: Role | null = null
  for (const { group, role } of rules) {
    if (group !== '*' && !groups.includes(group)) continue
    if (highest === null || roleAllows(role, highest)) highest = role
  }
  return highest
}
