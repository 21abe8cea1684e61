import { commandWord, inventoryPrivileges, quoted } from './gaps.ts'
import { nearestListed, type Permissions } from './permissions.ts'

/** An entry of the access control list, as far as it concerns what a token may do. */
export interface RoleEntry {
  readonly path: string
  readonly ugid: string
  readonly roleid: string
}

/** Privileges on a path that an inventory does not need. */
export interface Excess {
  readonly path: string
  readonly privileges: ReadonlyArray<string>
}

/**
 * The privileges that the caller has and an inventory does not need, where they begin: a path
 * leaves out those that the path above it passes down.
 */
export const excessOf = (permissions: Permissions): ReadonlyArray<Excess> =>
  Object.keys(permissions)
    .sort()
    .map((path) => {
      const above = nearestListed(permissions, path)
      const begins = (privilege: string) => above?.[privilege] !== true && !inventoryPrivileges.has(privilege)
      return {
        path,
        privileges: Object.keys(permissions[path] ?? {})
          .filter(begins)
          .sort(),
      }
    })
    .filter(({ privileges }) => privileges.length > 0)

const mostPaths = 3
const mostPrivileges = 4

const someOf = (words: ReadonlyArray<string>, most: number, separator: string): string =>
  words.length > most
    ? `${words.slice(0, most).join(separator)} and ${words.length - most} more`
    : words.join(separator)

/**
 * A sentence on a token that may do more than an inventory needs, with the commands that leave it
 * just that; empty for any other token.
 *
 * @param acl - The access control list; null: the token may not read it.
 */
export const tokenWarning = (
  permissions: Permissions,
  acl: ReadonlyArray<RoleEntry> | null,
  tokenId: string,
): string => {
  const excess = excessOf(permissions)
  if (excess.length === 0) return ''
  const held = excess.map(({ path, privileges }) => `${someOf(privileges, mostPrivileges, ', ')} on ${path}`)
  const commands = reducingCommands(acl ?? [], tokenId)
  const cure =
    commands.length > 0
      ? `Run on the server: ${commands.join('; ')}`
      : `Find its roles on the server with "proxmox-backup-manager acl list", and grant Audit, RemoteAudit and TapeAudit on / instead`
  return `The token ${tokenId} has more privileges than an inventory needs: ${someOf(held, mostPaths, '; ')}. ${cure}`
}

/** The roles that read what a path and the paths below it hold, and no more. */
const readingRoles = (path: string): ReadonlyArray<string> => {
  if (path === '/') return ['Audit', 'RemoteAudit', 'TapeAudit']
  if (/^\/datastore(?:\/|$)/.test(path)) return ['DatastoreAudit']
  if (/^\/remote(?:\/|$)/.test(path)) return ['RemoteAudit']
  return /^\/tape(?:\/|$)/.test(path) ? ['TapeAudit'] : ['Audit']
}

/** Roles that an inventory may keep. */
const harmless: ReadonlySet<string> = new Set(['Audit', 'DatastoreAudit', 'RemoteAudit', 'TapeAudit', 'NoAccess'])

/**
 * Replaces each role of the token that allows more than reading the inventory. Its user keeps its
 * roles: a token has those privileges only that both of them have.
 */
const reducingCommands = (acl: ReadonlyArray<RoleEntry>, tokenId: string): ReadonlyArray<string> => {
  const own = acl.filter(({ ugid }) => ugid === tokenId)
  const has = (path: string, role: string) => own.some((entry) => entry.path === path && entry.roleid === role)
  const excessive = own.filter(({ roleid }) => !harmless.has(roleid))
  const paths = [...new Set(excessive.map(({ path }) => path))]
  return [
    ...paths.flatMap((path) =>
      readingRoles(path)
        .filter((role) => !has(path, role) && !(role === 'DatastoreAudit' && has(path, 'Audit')))
        .map((role) => update(path, role, tokenId)),
    ),
    ...excessive.map(({ path, roleid }) => `${update(path, roleid, tokenId)} --delete true`),
  ]
}

const update = (path: string, role: string, tokenId: string): string =>
  `proxmox-backup-manager acl update ${commandWord(path)} ${commandWord(role)} --auth-id ${quoted(tokenId)}`
