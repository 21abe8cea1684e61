import type { Resource } from '@netbox-pbs/core'
import type { EndpointStore, StoredEndpoint, StoreFailed } from '@netbox-pbs/core/ports'
import type { EndFrame, Frame, SyncItem, SyncRequest } from '@netbox-pbs/proxbox-client/contract'
import { Effect, Stream } from 'effect'
import { enabledEndpoints, endpointReader } from '../endpoints/endpoint-reader.ts'
import { Fleet } from '../fleet/fleet.ts'
import type { HttpError } from '../http/http-error.ts'
import { rejection } from '../http/read-body.ts'
import { snapshotsScopes } from '../scopes/datastore-walk.ts'
import { datastoresScopes } from '../scopes/datastores.ts'
import { type JobType, jobsScopes, listedJobTypes } from '../scopes/jobs.ts'
import { failedScope, type Line, lineOf } from '../scopes/open-scope.ts'
import { openSession, type ServerSession } from '../scopes/server-session.ts'
import { serversScope } from '../scopes/servers.ts'
import { tasksScopes } from '../scopes/tasks.ts'

/**
 * The lines of one sync request: servers are read at the same time, the scopes of one server one
 * after the other, and only requests already under way read ahead of the client. Unknown names are
 * rejected before the first line; then the stream never fails: a scope that cannot be listed ends
 * in `failed`, and `end` is always last.
 */
export const syncStream = (
  resource: Resource,
  request: SyncRequest,
): Effect.Effect<Stream.Stream<Line, never, Fleet>, HttpError | StoreFailed, EndpointStore> =>
  Effect.gen(function* () {
    const all = yield* enabledEndpoints
    yield* rejectUnknown(resource, request, all)
    const { servers } = request
    const chosen =
      servers === undefined || resource === 'servers' ? all : all.filter(({ name }) => servers.includes(name))
    const tally = new Tally(resource)
    const lines =
      resource === 'servers'
        ? serversScope(chosen, request, (server, why) => tally.fail(server, why))
        : scopesOf(resource, request, chosen)
    return lines.pipe(
      // By chunks: `Stream.tap` would pass each line on by itself.
      Stream.mapChunks((chunk) => {
        for (const { frame } of chunk) tally.see(frame)
        return chunk
      }),
      Stream.concat(
        Stream.fromEffect(
          Effect.map(request.run === undefined ? Effect.succeed([]) : costsOf(asked(chosen, request)), (costs) =>
            lineOf({
              frame: 'end',
              items: tally.items(chosen, request.netbox_branch_schema_id ?? null),
              ...(costs.length === 0 ? {} : { costs }),
            }),
          ),
        ),
      ),
    )
  })

/** The endpoints that a request contacts. A list of all servers shows the others too. */
const asked = (listed: ReadonlyArray<StoredEndpoint>, { servers }: SyncRequest) =>
  listed.filter(({ name }) => servers === undefined || servers.includes(name))

/** What the servers of endpoints were asked since they were last told. */
const costsOf = (endpoints: ReadonlyArray<StoredEndpoint>): Effect.Effect<EndFrame['costs'] & {}, never, Fleet> =>
  Effect.gen(function* () {
    const fleet = yield* Fleet
    const costs = yield* Effect.forEach(endpoints, ({ id, name: server }) =>
      Effect.map(fleet.takeCosts(id), (entries) =>
        entries.map(({ run, cost }) => ({ server, ...(run === undefined ? {} : { run }), ...cost })),
      ),
    )
    return costs.flat()
  })

const scopesOf = (
  resource: Exclude<Resource, 'servers'>,
  request: SyncRequest,
  endpoints: ReadonlyArray<StoredEndpoint>,
): Stream.Stream<Line, never, Fleet> =>
  Stream.unwrap(
    Effect.map(Fleet, ({ width }) =>
      Stream.fromIterable(endpoints).pipe(
        Stream.flatMap((endpoint) => serverScopes(resource, request, endpoint), { concurrency: width, bufferSize: 1 }),
      ),
    ),
  )

const serverScopes = (
  resource: Exclude<Resource, 'servers'>,
  request: SyncRequest,
  endpoint: StoredEndpoint,
): Stream.Stream<Line, never, Fleet> =>
  Stream.unwrapScoped(
    endpointReader(endpoint, request.run).pipe(
      Effect.flatMap((pbs) => openSession(endpoint, pbs, request.most_requests)),
      Effect.map((session) => scopesOfSession(resource, request, session)),
      Effect.catchAll((failure) => Effect.succeed(failedServer(resource, request, endpoint, failure))),
    ),
  )

const scopesOfSession = (
  resource: Exclude<Resource, 'servers'>,
  request: SyncRequest,
  session: ServerSession,
): Stream.Stream<Line> => {
  switch (resource) {
    case 'datastores':
      return datastoresScopes(session)
    case 'snapshots':
      return snapshotsScopes(session, {
        ...request,
        known: { groups: new Set(request.known_groups), frames: new Set(request.known_frames) },
      })
    case 'jobs':
      return jobsScopes(session, request)
    case 'tasks':
      return tasksScopes(session, request)
  }
}

/** A server that cannot be opened: the scopes that would have come first fail. */
const failedServer = (
  resource: Exclude<Resource, 'servers'>,
  { job_types }: SyncRequest,
  { name: server }: StoredEndpoint,
  failure: Parameters<typeof failedScope>[1],
): Stream.Stream<Line> =>
  resource === 'jobs'
    ? Stream.flatMap(
        Stream.fromIterable(listedJobTypes.filter((type) => job_types === undefined || job_types.includes(type))),
        (job_type) => failedScope({ resource: 'jobs', server, job_type }, failure),
      )
    : failedScope({ resource: resource === 'tasks' ? resource : 'datastores', server }, failure)

/**
 * Refuses a name that no endpoint has. In a request for the servers it is no error: their list
 * shows that it does not exist.
 */
const rejectUnknown = (
  resource: Resource,
  { servers, job_types }: SyncRequest,
  enabled: ReadonlyArray<StoredEndpoint>,
): Effect.Effect<void, HttpError> => {
  const read = resource === 'servers' ? undefined : servers
  const unknownServer = read?.find((name) => enabled.every((endpoint) => endpoint.name !== name))
  if (unknownServer !== undefined) {
    return Effect.fail(rejection(['body', 'servers'], `${unknownServer} is not an enabled endpoint of this gateway`))
  }
  const unknownType = job_types?.find((type) => !isJobType(type))
  return unknownType === undefined
    ? Effect.void
    : Effect.fail(rejection(['body', 'job_types'], `${unknownType} is not one of ${listedJobTypes.join(', ')}`))
}

const isJobType = (type: string): type is JobType => listedJobTypes.some((known) => known === type)

/** Counts the rows of each endpoint, for the `end` frame and the summaries. */
export class Tally {
  readonly #fetched = new Map<string, number>()
  readonly #errors = new Map<string, Array<string>>()
  readonly #rowsOf: ReadonlySet<string>

  /** @param resource - What was asked for; snapshots are counted, not the namespaces listed on the way. */
  constructor(readonly resource: string) {
    this.#rowsOf = new Set(resource === 'snapshots' ? ['group'] : ['server', 'datastore', 'job', 'task'])
  }

  /** Counts one frame. */
  see(frame: Frame): void {
    if (frame.frame === 'failed') {
      if ('server' in frame) this.fail(frame.server, frame.error.message)
    } else if (this.#rowsOf.has(frame.frame) && 'server' in frame) {
      this.#add(frame.server, frame.frame === 'group' ? frame.snapshots.length : 1)
    }
  }

  /** Counts one row that has no frame. */
  answered(server: string): void {
    this.#add(server, 1)
  }

  /** Notes an error of one server. */
  fail(server: string, error: string): void {
    const errors = this.#errors.get(server)
    if (errors === undefined) this.#errors.set(server, [error])
    else if (errors.length < maxErrors) errors.push(error)
  }

  /** One item for each endpoint, the ones without rows too. */
  items(endpoints: ReadonlyArray<StoredEndpoint>, netbox_branch_schema_id: string | null): ReadonlyArray<SyncItem> {
    return endpoints.map(({ id, name }) => ({
      endpoint_id: id,
      name,
      resource: this.resource,
      fetched: this.#fetched.get(name) ?? 0,
      written: 0,
      errors: this.#errors.get(name) ?? [],
      netbox_branch_schema_id,
    }))
  }

  #add(server: string, rows: number): void {
    this.#fetched.set(server, (this.#fetched.get(server) ?? 0) + rows)
  }
}

/** Every failed scope has its own frame; the summary of one server names so many. */
const maxErrors = 100
