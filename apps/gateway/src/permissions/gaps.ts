import type { ServerScope } from '@netbox-pbs/core'
import type { PbsJobType } from '@netbox-pbs/pbs-client'
import { coversDescendants, datastorePath, mayListAny, type Permissions, privilegesOn } from './permissions.ts'

/** A privilege that the caller lacks, its path, and the rows that stay hidden without it. */
export interface Gap {
  readonly privilege: string
  readonly path: string
  readonly hides: string
}

/** The privileges that a full inventory needs: the roles Audit, RemoteAudit and TapeAudit on `/`. */
const needed: ReadonlyArray<Gap> = [
  { privilege: 'Datastore.Audit', path: '/datastore', hides: 'datastores, namespaces and backups of other owners' },
  { privilege: 'Sys.Audit', path: '/access', hides: 'entries of the access control list' },
  { privilege: 'Sys.Audit', path: '/system', hides: 'tasks and the state of the node' },
  { privilege: 'Remote.Audit', path: '/remote', hides: 'sync jobs with a remote' },
  { privilege: 'Tape.Audit', path: '/tape', hides: 'tape jobs' },
]

/** The privileges that an inventory uses; all of them only read. */
export const inventoryPrivileges: ReadonlySet<string> = new Set(needed.map(({ privilege }) => privilege))

/** The privileges that the caller lacks for a full inventory. */
export const inventoryGaps = (permissions: Permissions): ReadonlyArray<Gap> =>
  needed.filter(({ path, privilege }) => !coversDescendants(permissions, path, privilege))

/** A gap in words: `Remote.Audit on /remote`. */
export const gapTitle = ({ privilege, path }: Gap): string => `${privilege} on ${path}`

/** The gaps that make the list of a scope shorter than it is. */
export const gapsOf = (scope: ServerScope, permissions: Permissions): ReadonlyArray<Gap> =>
  candidates(scope).filter(({ path, privilege }) => !coversDescendants(permissions, path, privilege))

const candidates = (scope: ServerScope): ReadonlyArray<Gap> => {
  switch (scope.resource) {
    case 'datastores':
      return [
        { privilege: 'Datastore.Audit', path: '/datastore', hides: 'datastores, or their paths and comments' },
        {
          privilege: 'Sys.Audit',
          path: '/access',
          hides:
            'entries of the access control list, so hidden rows cannot be told from removed ones, whose deletion waits for a confirmation: they',
        },
      ]
    case 'namespaces':
      return [{ privilege: 'Datastore.Audit', path: datastorePath(scope.datastore), hides: 'namespaces' }]
    case 'snapshots':
      return []
    case 'jobs':
      return jobCandidates[scope.job_type] ?? []
    case 'tasks':
      return [{ privilege: 'Sys.Audit', path: '/system/tasks', hides: 'tasks of other users' }]
  }
}

const ofStores = (kind: string): Gap => ({ privilege: 'Datastore.Audit', path: '/datastore', hides: `${kind} jobs` })

const jobCandidates: Readonly<Record<string, ReadonlyArray<Gap>>> = {
  verify: [ofStores('verify')],
  prune: [ofStores('prune')],
  gc: [ofStores('garbage collection')],
  sync: [ofStores('sync'), { privilege: 'Remote.Audit', path: '/remote', hides: 'sync jobs with a remote' }],
  tape: [{ privilege: 'Tape.Audit', path: '/tape', hides: 'tape jobs' }],
} satisfies Readonly<Record<PbsJobType | 'gc', ReadonlyArray<Gap>>>

/** Whether no row of a scope can be listed to the caller, because no datastore is. */
export const hidesAll = (scope: ServerScope, permissions: Permissions): boolean =>
  (scope.resource === 'datastores' ||
    scope.resource === 'namespaces' ||
    (scope.resource === 'jobs' && scope.job_type !== 'tape')) &&
  !mayListAny(permissions)

/** Whether the caller may not list a scope completely at all: of the snapshots only its own are shown to it. */
export const ownerOnly = (scope: ServerScope, permissions: Permissions): boolean =>
  scope.resource === 'snapshots' &&
  !privilegesOn(permissions, datastorePath(scope.datastore, scope.namespace)).has('Datastore.Audit')

/** The roles of an inventory, with the privileges that each of them grants. */
const roles: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
  ['Audit', ['Datastore.Audit', 'Sys.Audit']],
  ['RemoteAudit', ['Remote.Audit']],
  ['TapeAudit', ['Tape.Audit']],
]

/**
 * The commands that close gaps, to be run on the server itself. A token of PBS has the privileges that both it and its
 * user have, so each role is granted to both.
 *
 * @param tokenId - `user@realm!tokenname`
 */
export const aclCommands = (gaps: ReadonlyArray<Pick<Gap, 'privilege'>>, tokenId: string): ReadonlyArray<string> => {
  const missing = new Set(gaps.map(({ privilege }) => privilege))
  const user = tokenId.slice(0, Math.max(0, tokenId.lastIndexOf('!')))
  return roles
    .filter(([, privileges]) => privileges.some((privilege) => missing.has(privilege)))
    .flatMap(([role]) =>
      [user, tokenId].map((id) => `proxmox-backup-manager acl update / ${role} --auth-id ${quoted(id)}`),
    )
}

/** A word for a shell, in quotes only where it needs them. */
export const commandWord = (word: string): string => (/^[\w./-]+$/.test(word) ? word : quoted(word))

/** A word for a shell. In single quotes, since bash reads `!` within double ones. */
export const quoted = (word: string): string => `'${word.replaceAll("'", String.raw`'\''`)}'`
