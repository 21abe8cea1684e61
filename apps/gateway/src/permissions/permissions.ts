import type { PbsAclEntry } from '@netbox-pbs/pbs-client'

/**
 * `/access/permissions` of the caller: path → privilege → whether it propagates to paths below. PBS
 * leaves out paths without any.
 */
export type Permissions = Readonly<Record<string, Readonly<Record<string, boolean>>>>

/**
 * The privileges of the caller on one path: those listed for it, else those that its nearest listed
 * ancestor propagates.
 */
export const privilegesOn = (permissions: Permissions, path: string): ReadonlySet<string> => {
  const own = permissions[path]
  if (own !== undefined) return new Set(Object.keys(own))
  for (const ancestor of ancestorsOf(path)) {
    const inherited = permissions[ancestor]
    if (inherited !== undefined) return new Set(Object.keys(inherited).filter((privilege) => inherited[privilege]))
  }
  return new Set()
}

/** Whether the caller has a privilege on a path and on everything below it, as far as the listed paths tell. */
export const coversDescendants = (permissions: Permissions, path: string, privilege: string): boolean => {
  const here = permissions[path] ?? nearestListed(permissions, path)
  return (
    here?.[privilege] === true &&
    Object.entries(permissions).every(([listed, privileges]) => !isDescendant(listed, path) || privilege in privileges)
  )
}

/** Privileges that show a datastore or namespace in a list. */
export const listingPrivileges = ['Datastore.Audit', 'Datastore.Backup', 'Datastore.Modify', 'Datastore.Read'] as const

/** Whether a datastore or namespace is listed to the caller. */
export const mayList = (permissions: Permissions, path: string): boolean => {
  const held = privilegesOn(permissions, path)
  return listingPrivileges.some((privilege) => held.has(privilege))
}

/** Whether any datastore or namespace, known or not, can be listed to the caller. */
export const mayListAny = (permissions: Permissions): boolean =>
  ['/datastore', ...Object.keys(permissions).filter((path) => isDescendant(path, '/datastore'))].some((path) =>
    mayList(permissions, path),
  )

/**
 * Whether the caller may read the whole access control list. Without it, a path on which an entry
 * such as NoAccess leaves no privilege looks like a path that does not exist.
 */
export const readsAcl = (permissions: Permissions): boolean => privilegesOn(permissions, '/access/acl').has('Sys.Audit')

/** Whether `path` is a descendant of `ancestor`. */
export const isDescendant = (path: string, ancestor: string): boolean =>
  path !== ancestor && path.startsWith(ancestor === '/' ? '/' : `${ancestor}/`)

/** The ACL path of a datastore, or of a namespace in it. */
export const datastorePath = (datastore: string, namespace = ''): string =>
  namespace === '' ? `/datastore/${datastore}` : `/datastore/${datastore}/${namespace}`

/** The privileges of the nearest path above that is listed; undefined where none is. */
export const nearestListed = (permissions: Permissions, path: string): Permissions[string] | undefined =>
  permissions[ancestorsOf(path).find((ancestor) => ancestor in permissions) ?? '']

/** From the parent up to `/`. */
const ancestorsOf = (path: string): ReadonlyArray<string> => {
  const ancestors: Array<string> = []
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1))
    ancestors.push(path.slice(0, end))
  return path === '/' ? [] : [...ancestors, '/']
}

/** The part of a row of `/access/acl` that tells whom it concerns, and where. */
export type AclEntry = Pick<PbsAclEntry, 'path' | 'ugid' | 'ugid_type'>

/**
 * Adds the paths that `/access/permissions` leaves out because nothing is granted there. A path
 * that is not listed and has an ACL entry of the token, its user or a group (whose members are
 * unknown) has no privileges, mostly by the role NoAccess; without this it would seem to inherit.
 */
export const addHiddenPaths = (
  permissions: Permissions,
  acl: ReadonlyArray<AclEntry>,
  tokenId: string,
): Permissions => {
  const callers = new Set([tokenId, tokenId.slice(0, tokenId.lastIndexOf('!'))])
  const withheld = acl
    .filter(({ ugid, ugid_type }) => ugid_type === 'group' || callers.has(ugid))
    .map(({ path }) => [path, {}] as const)
  return { ...Object.fromEntries(withheld), ...permissions }
}
