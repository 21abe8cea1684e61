import type { NamespaceFrame } from '@netbox-pbs/proxbox-client/contract'
import { Effect } from 'effect'
import { datastorePath, mayList } from '../permissions/permissions.ts'
import type { Listing } from './open-scope.ts'
import { readableRows } from './readable-rows.ts'
import { ScopeFailed } from './scope-failed.ts'
import type { ServerSession } from './server-session.ts'

/** The namespaces of a datastore: their paths, and the listing of their scope. */
export interface Namespaces {
  /** Each after its parents; the root is the empty path. */
  readonly paths: ReadonlyArray<string>
  readonly listing: Listing<NamespaceFrame>
}

/**
 * Reads the namespaces of a datastore. PBS lists the root for every caller that may see it and answers 403 to a caller
 * that sees none at all, so a list without rows, or without a root that may be seen, was cut.
 */
export const readNamespaces = (session: ServerSession, datastore: string): Effect.Effect<Namespaces, ScopeFailed> =>
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
    const frames = paths.map(
      (path): NamespaceFrame => ({ frame: 'namespace', server, datastore_name: datastore, path }),
    )
    const pathOf = ({ path }: NamespaceFrame) => datastorePath(datastore, path)
    return { paths, listing: { items: [...notes, ...frames], pathOf } }
  })
