import { createHash } from 'node:crypto'
import type { ServerScope } from '@netbox-pbs/core'
import type { PbsJobType } from '@netbox-pbs/pbs-client'
import { datastorePath, isDescendant, listingPrivileges, type Permissions, privilegesOn } from './permissions.ts'

/** The privileges that decide which rows a list shows, and the part of the ACL tree they are looked up in. */
const deciding = (
  scope: ServerScope,
): ReadonlyArray<{ readonly root: string; readonly privileges: ReadonlyArray<string> }> => {
  switch (scope.resource) {
    case 'datastores':
      return [{ root: '/datastore', privileges: listingPrivileges }]
    case 'namespaces':
      return [{ root: datastorePath(scope.datastore), privileges: listingPrivileges }]
    case 'snapshots':
      return [
        { root: datastorePath(scope.datastore, scope.namespace), privileges: ['Datastore.Audit', 'Datastore.Backup'] },
      ]
    case 'jobs':
      return decidingJobs[scope.job_type] ?? [{ root: '/', privileges: listingPrivileges }]
    case 'tasks':
      return decidingTasks
  }
}

const decidingJobs: Readonly<Record<string, ReturnType<typeof deciding>>> = {
  verify: [{ root: '/datastore', privileges: ['Datastore.Audit', 'Datastore.Verify'] }],
  prune: [{ root: '/datastore', privileges: ['Datastore.Audit', 'Datastore.Modify'] }],
  sync: [
    { root: '/datastore', privileges: ['Datastore.Audit'] },
    { root: '/remote', privileges: ['Remote.Audit'] },
  ],
  gc: [{ root: '/datastore', privileges: ['Datastore.Audit'] }],
  tape: [{ root: '/tape', privileges: ['Tape.Audit'] }],
} satisfies Readonly<Record<PbsJobType | 'gc', ReturnType<typeof deciding>>>

/** All tasks are shown with Sys.Audit; else those of the caller, and of the jobs that it could run. */
const decidingTasks: ReturnType<typeof deciding> = [
  { root: '/system/tasks', privileges: ['Sys.Audit'] },
  { root: '/datastore', privileges: ['Datastore.Backup', 'Datastore.Modify', 'Datastore.Prune', 'Datastore.Verify'] },
  { root: '/remote', privileges: ['Remote.Read'] },
]

/**
 * The visibility of a scope: a hash of the caller's effective privileges that decide which rows its
 * list shows. For a scope with ACL paths below it, those count too; the snapshots of a namespace do
 * not include the namespaces below.
 */
export const visibilityOf = (scope: ServerScope, permissions: Permissions): string => {
  const facts = deciding(scope).map(({ root, privileges }) => {
    const descendants =
      scope.resource === 'snapshots' ? [] : Object.keys(permissions).filter((path) => isDescendant(path, root))
    return [root, ...descendants.sort()].map((path) => {
      const held = privilegesOn(permissions, path)
      const propagated = permissions[path]
      return [path, privileges.filter((p) => held.has(p)).map((p) => (propagated?.[p] === false ? `${p}!` : p))]
    })
  })
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex')
}

/**
 * The visibility of a list whose caller cannot read the ACL: where a row is listed, its path is
 * seen; where one is missing, the path may be hidden or gone. So the paths that were seen are part
 * of the visibility, and one that is no longer among them makes another visibility.
 */
export const visibilityWithPaths = (visibility: string, paths: Iterable<string>): string =>
  createHash('sha256')
    .update(JSON.stringify([visibility, [...paths].sort()]))
    .digest('hex')
