import type { NamespaceFrame } from '@netbox-pbs/proxbox-client/contract'
import { Effect } from 'effect'
import { datastorePath, mayList } from '../permissions/permissions.ts'
import { namespaceFrame } from '../translate/namespace.ts'
import type { Note } from './note.ts'
import { readableRows } from './readable-rows.ts'
import { ScopeFailed } from './scope-failed.ts'
import type { ServerSession } from './server-session.ts'

/**
 * Lists the namespaces of a datastore, each after the ones above it. PBS lists the root for everybody who may see it and
 * refuses who sees none at all, so a list without rows, or one that lacks a root that may be seen, was cut.
 */
export const listNamespaces = (
  session: ServerSession,
  datastore: string,
): Effect.Effect<ReadonlyArray<NamespaceFrame | Note>, ScopeFailed> =>
  Effect.gen(function* () {
    const server = session.endpoint.name
    const permissions = yield* session.permissionsBefore
    const { rows, notes } = readableRows('namespace', yield* session.pbs.namespaces(datastore))
    const paths = [...new Set(rows)].sort()
    const lacksRoot = paths[0] !== '' && notes.length === 0 && mayList(permissions, datastorePath(datastore))
    if (paths.length === 0 || lacksRoot) {
      return yield* new ScopeFailed({
        code: 'protocol',
        message: `${server} lists the namespaces of ${datastore} without the root, which every datastore has: the list was cut`,
        retryable: true,
      })
    }
    return [...notes, ...paths.map((path) => namespaceFrame(server, datastore, path))]
  })
