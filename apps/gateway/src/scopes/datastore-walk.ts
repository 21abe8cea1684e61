import type { ServerScope } from '@netbox-pbs/core'
import { isReadable } from '@netbox-pbs/pbs-client'
import type { NamespaceFrame, SyncRequest } from '@netbox-pbs/proxbox-client/contract'
import { Effect, Stream } from 'effect'
import { datastorePath, mayList, mayListAny } from '../permissions/permissions.ts'
import { closedBecause, readStores, type Stores } from './datastores.ts'
import { readableRows } from './note.ts'
import { blindToken, failedScope, failureOf, type Line, type Listing, openScope } from './open-scope.ts'
import { ScopeFailed } from './scope-failed.ts'
import type { ServerSession } from './server-session.ts'
import { type KnownDigests, listSnapshots } from './snapshots.ts'

/** The part of a request that chooses datastores and namespaces, and names what the caller has. */
export type PlaceFilter = Pick<SyncRequest, 'datastores' | 'namespaces'> & {
  readonly known?: KnownDigests
}

/** How many namespaces are opened ahead, so that many small ones are not read one round trip at a time. */
const namespacesAhead = 4

/**
 * When so many lists of one datastore hang, the others would hang with the same disk, each in a
 * thread of the server.
 */
const mostHung = 3

/**
 * Walks the datastores of a server: the scope of the namespaces of each, followed by the scopes of
 * their snapshots. When the datastores themselves cannot be listed, theirs is the scope that fails,
 * and it covers all its descendants.
 */
export const snapshotsScopes = (session: ServerSession, filter: PlaceFilter): Stream.Stream<Line> => {
  const server = session.endpoint.name
  const stores = Effect.zipRight(session.mayBegin, session.permissionsBefore).pipe(
    Effect.filterOrFail(mayListAny, (permissions) => blindToken(session, permissions)),
    Effect.zipRight(session.pbs.datastores),
    // A server without any datastore must have none in its configuration either.
    Effect.flatMap((list) =>
      list.length > 0 ? someRead(server, list.filter(isReadable)) : Effect.map(readStores(session), storesOf),
    ),
    Effect.catchAll((failure) =>
      Effect.flatMap(session.stillAnswers(failure), (answers) => Effect.fail(failureOf(failure, answers))),
    ),
  )
  return Stream.unwrap(
    Effect.match(stores, {
      onFailure: (failure) => failedScope({ resource: 'datastores', server }, failure),
      onSuccess: (listed) => {
        const names = filter.datastores ?? listed.map(({ store }) => store)
        return Stream.fromIterable([...new Set(names)].sort()).pipe(
          Stream.flatMap((name) => {
            const store = listed.find((row) => row.store === name)
            const closed =
              store === undefined
                ? { code: 'protocol' as const, message: `${server} lists no datastore ${name}` }
                : closedBecause(store)
            return closed === null
              ? storeScopes(session, name, filter)
              : closedStore(server, name, filter, { ...closed, retryable: false })
          }),
        )
      },
    }),
  )
}

const nothingKnown: KnownDigests = { groups: new Set(), frames: new Set() }

const storesOf = ({ listed }: Stores) => listed.rows

/** In a list with rows at least one must be readable; otherwise the run would have no datastore. */
const someRead = <A>(server: string, rows: ReadonlyArray<A>): Effect.Effect<ReadonlyArray<A>, ScopeFailed> =>
  rows.length > 0
    ? Effect.succeed(rows)
    : new ScopeFailed({
        code: 'protocol',
        message: `no row in the list of datastores of ${server} can be read; look at it with: proxmox-backup-manager datastore list`,
        retryable: true,
      })

const closedStore = (
  server: string,
  datastore: string,
  { namespaces }: PlaceFilter,
  failure: Parameters<typeof failedScope>[1],
): Stream.Stream<Line> => {
  const scopes: ReadonlyArray<ServerScope> =
    namespaces === undefined
      ? [{ resource: 'namespaces', server, datastore }]
      : namespaces.map((namespace) => ({ resource: 'snapshots', server, datastore, namespace }))
  return Stream.flatMap(Stream.fromIterable(scopes), (scope) => failedScope(scope, failure))
}

const storeScopes = (session: ServerSession, datastore: string, filter: PlaceFilter): Stream.Stream<Line> => {
  if (filter.namespaces !== undefined)
    return namespaceScopes(session, datastore, [...new Set(filter.namespaces)], filter.known)
  const server = session.endpoint.name
  return Stream.suspend(() => {
    let paths: ReadonlyArray<string> = []
    const list = Effect.map(readNamespaces(session, datastore), (namespaces) => {
      paths = namespaces.paths
      return namespaces.listing
    })
    let complete = false
    return Stream.unwrap(openScope(session, { resource: 'namespaces', server, datastore }, list)).pipe(
      Stream.tap(({ frame }) =>
        Effect.sync(() => {
          if (frame.frame === 'complete') complete = true
        }),
      ),
      // A failed list of namespaces has no news of their snapshots.
      Stream.concat(
        Stream.suspend(() => (complete ? namespaceScopes(session, datastore, paths, filter.known) : Stream.empty)),
      ),
    )
  })
}

const namespaceScopes = (
  session: ServerSession,
  datastore: string,
  namespaces: ReadonlyArray<string>,
  known: KnownDigests = nothingKnown,
): Stream.Stream<Line> =>
  Stream.unwrap(
    Effect.map(Effect.cached(session.stillAnswers(new ScopeFailed(hungWith(datastore)))), (answers) =>
      scopesWhileTheyAnswer({ session, datastore, known }, namespaces, answers),
    ),
  )

/** @param answers - Whether the server itself still answers, read when too many lists of the datastore hung. */
const scopesWhileTheyAnswer = (
  {
    session,
    datastore,
    known,
  }: { readonly session: ServerSession; readonly datastore: string; readonly known: KnownDigests },
  namespaces: ReadonlyArray<string>,
  answers: Effect.Effect<boolean>,
): Stream.Stream<Line> =>
  Stream.suspend(() => {
    let hung = 0
    return Stream.fromIterable(namespaces).pipe(
      Stream.rechunk(1),
      Stream.mapEffect(
        (namespace) => {
          const scope = { resource: 'snapshots', server: session.endpoint.name, datastore, namespace } as const
          if (hung >= mostHung) {
            return Effect.map(answers, (serverAnswers) => failedScope(scope, { ...hungWith(datastore), serverAnswers }))
          }
          const list = Effect.tapError(listSnapshots(session, datastore, namespace, known), ({ code }) =>
            Effect.sync(() => {
              if (code === 'timeout') hung += 1
            }),
          )
          return openScope(session, scope, list)
        },
        { concurrency: namespacesAhead },
      ),
      Stream.flatten(),
    )
  })

const hungWith = (datastore: string) => ({
  code: 'timeout' as const,
  message: `not asked for: ${mostHung} lists of datastore ${datastore} did not answer in time. On the server, look at its disks; systemctl restart proxmox-backup-proxy ends requests that hang`,
  retryable: true,
})

/** The namespaces of a datastore: their paths, and the listing of their scope. */
interface Namespaces {
  /** Each after its parents; the root is the empty path. */
  readonly paths: ReadonlyArray<string>
  readonly listing: Listing<NamespaceFrame>
}

/**
 * Reads the namespaces of a datastore. PBS lists the root for every caller that may see it and answers 403 to a caller
 * that sees none at all, so a list without rows, or without a root that may be seen, was cut.
 */
const readNamespaces = (session: ServerSession, datastore: string): Effect.Effect<Namespaces, ScopeFailed> =>
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
