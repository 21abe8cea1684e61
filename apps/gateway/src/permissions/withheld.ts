import type { Permissions } from './permissions.ts'

/** An entry of `/access/acl`, as far as it matters here. */
export interface AclEntry {
  readonly path: string
  readonly ugid: string
  readonly ugid_type: string
}

/**
 * The permissions with the paths that `/access/permissions` leaves out because nothing is granted there: a path with an
 * ACL entry of the token, its user or a group (who is in it is unknown) that is not listed has no privileges, mostly by
 * the role NoAccess. Without them such a path would pass for one that inherits.
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
