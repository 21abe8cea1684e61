import type { PbsState } from '../state/pbs-state.ts'

const datastoreAll = ['Audit', 'Modify', 'Read', 'Verify', 'Backup', 'Prune', 'Allocate'].map(
  (name) => `Datastore.${name}`,
)
const tapeAll = ['Tape.Audit', 'Tape.Modify', 'Tape.Read', 'Tape.Write']
const remoteAll = ['Remote.Audit', 'Remote.Modify', 'Remote.Read']

const roles: Readonly<Record<string, readonly string[]>> = {
  Admin: [
    'Sys.Audit',
    'Sys.Modify',
    'Sys.PowerManagement',
    'Sys.Console',
    'Permissions.Modify',
    'Realm.Allocate',
    ...datastoreAll,
    ...remoteAll,
    ...tapeAll,
  ],
  Audit: ['Sys.Audit', 'Datastore.Audit'],
  DatastoreAdmin: datastoreAll,
  DatastoreReader: ['Datastore.Audit', 'Datastore.Verify', 'Datastore.Read'],
  DatastoreBackup: ['Datastore.Backup'],
  DatastorePowerUser: ['Datastore.Prune', 'Datastore.Backup'],
  DatastoreAudit: ['Datastore.Audit'],
  RemoteAudit: ['Remote.Audit'],
  RemoteAdmin: remoteAll,
  TapeAudit: ['Tape.Audit'],
  TapeAdmin: tapeAll,
  NoAccess: [],
}

/** The privileges of a built-in role; an unknown role has none. */
const rolePrivileges = (role: string): readonly string[] => roles[role] ?? []

/** A user's privileges on a path: name, and whether it also applies to deeper paths. */
type Privileges = ReadonlyMap<string, boolean>

const SUPERUSER = 'root@pam'

/** The user a token belongs to; null for a user. */
export const ownerOf = (authId: string): string | null => {
  const at = authId.lastIndexOf('@')
  const mark = authId.indexOf('!', at)
  return mark === -1 ? null : authId.slice(0, mark)
}

const prefixesOf = (path: string): string[] => {
  const prefixes = ['/']
  let prefix = ''
  for (const part of path.split('/').filter((text) => text !== '')) {
    prefix += `/${part}`
    prefixes.push(prefix)
  }
  return prefixes
}

/** Roles on one path add up; the deepest path with an entry replaces the inherited ones. */
const ownPrivileges = (state: PbsState, authId: string, path: string): Map<string, boolean> => {
  const prefixes = prefixesOf(path)
  const leaf = prefixes.at(-1)
  let privileges = new Map<string, boolean>()
  for (const prefix of prefixes) {
    const entries = state.acl.filter(
      (entry) => entry.authId === authId && entry.path === prefix && (entry.propagate || prefix === leaf),
    )
    if (entries.length === 0) continue
    privileges = new Map()
    if (entries.some(({ role }) => role === 'NoAccess')) continue
    for (const { role, propagate } of entries)
      for (const name of rolePrivileges(role)) privileges.set(name, propagate || privileges.get(name) === true)
  }
  return privileges
}

/** The privileges of a user or token on an ACL path. A token never has more than its owner. */
export const privilegesOn = (state: PbsState, authId: string, path: string): Privileges => {
  if (authId === SUPERUSER) return new Map(rolePrivileges('Admin').map((name) => [name, true]))
  const own = ownPrivileges(state, authId, path)
  const user = ownerOf(authId)
  if (user === null || user === SUPERUSER) return own
  const owners = ownPrivileges(state, user, path)
  const both = new Map<string, boolean>()
  for (const [name, propagate] of own) {
    const granted = owners.get(name)
    if (granted !== undefined) both.set(name, propagate && granted)
  }
  return both
}

/** Whether a user has any of the named privileges on a path. */
export const hasAny = (state: PbsState, authId: string, path: string, names: readonly string[]): boolean => {
  const privileges = privilegesOn(state, authId, path)
  return names.some((name) => privileges.has(name))
}

/** The ACL path of a datastore, or of a namespace in it. */
export const datastorePath = (store: string, ns: string | null = ''): string =>
  ns === '' || ns === null ? `/datastore/${store}` : `/datastore/${store}/${ns}`

/** Privileges that show a user that a namespace exists. */
const NAMESPACE_SIGHT = ['Datastore.Modify', 'Datastore.Read', 'Datastore.Backup', 'Datastore.Audit']

/** Whether a user sees a namespace in lists of namespaces. */
export const seesNamespace = (state: PbsState, authId: string, store: string, ns: string): boolean =>
  hasAny(state, authId, datastorePath(store, ns), NAMESPACE_SIGHT)

/** The part of a datastore that a user sees: all its facts, only its existence, or nothing. */
export const datastoreSight = (state: PbsState, authId: string, store: string): 'full' | 'namespaces' | 'none' => {
  if (hasAny(state, authId, datastorePath(store), ['Datastore.Audit', 'Datastore.Backup'])) return 'full'
  const namespaces = state.datastores.find(({ name }) => name === store)?.namespaces ?? []
  return namespaces.some(({ path }) => seesNamespace(state, authId, store, path)) ? 'namespaces' : 'none'
}

/** Whether `caller` counts as owner of a group: the same id, or the user of the owning token. */
export const ownsGroup = (caller: string, owner: string): boolean => owner === caller || ownerOf(owner) === caller
