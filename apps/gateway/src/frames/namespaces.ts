import type { NamespaceFrame } from '@netbox-pbs/proxbox-client/contract'
import { Effect } from 'effect'
import { datastorePath, mayList } from '../permissions/permissions.ts'
import { namespaceFrame } from '../translate/namespace.ts'
import { ScopeFailed } from './scope-failed.ts'
import type { ServerSession } from './server-session.ts'

/**
 * Lists the namespaces of a datastore, each after the ones above it. PBS lists the root for everybody who may see it and
 * refuses who sees none at all, so a list without rows, or one that lacks a root that may be seen, was cut.
 */
export const listNamespaces = (
  session: ServerSession,
  datastore: string,
): Effect.Effect<ReadonlyArray<NamespaceFrame>, ScopeFailed> =>
  Effect.gen(function* () {
    const server = session.endpoint.name
    const permissions = yield* session.permissionsBefore
    const paths = [...new Set(yield* session.pbs.namespaces(datastore))].sort()
    if (paths.length === 0 || (paths[0] !== '' && mayList(permissions, datastorePath(datastore)))) {
      return yield* new ScopeFailed({
        code: 'protocol',
        message: `${server} lists the namespaces of ${datastore} without the root, which every datastore has: the list was cut`,
        retryable: true,
      })
    }
    return paths.map((path) => namespaceFrame(server, datastore, path))
  })
