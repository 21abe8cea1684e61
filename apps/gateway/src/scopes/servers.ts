import { statusAfter } from '@netbox-pbs/core'
import type { StoredEndpoint } from '@netbox-pbs/core/ports'
import type { ServerFrame, SyncRequest } from '@netbox-pbs/proxbox-client/contract'
import { Effect, Either, Stream } from 'effect'
import { contactServer, type ServerAnswer } from '../endpoints/endpoint-reader.ts'
import type { Fleet } from '../fleet/fleet.ts'
import { type Line, lineOf } from './open-scope.ts'
import { errorOf, type ScopeFailed } from './scope-failed.ts'

/**
 * The servers of the gateway as the lines of their scope: a row for each enabled endpoint as soon
 * as its server has answered, with a warning and a call of `noteFailure` if it does not. With
 * `servers` the others are listed without a request.
 */
export const serversScope = (
  endpoints: ReadonlyArray<StoredEndpoint>,
  { servers: named, run }: Pick<SyncRequest, 'servers' | 'run'>,
  noteFailure: (server: string, message: string) => void,
): Stream.Stream<Line, never, Fleet> => {
  const scope = { resource: 'servers' } as const
  const isRequested = ({ name }: StoredEndpoint) => named === undefined || named.includes(name)
  const notContacted = endpoints.filter((endpoint) => !isRequested(endpoint))
  const lines = (endpoint: StoredEndpoint): Effect.Effect<ReadonlyArray<Line>, never, Fleet> =>
    Effect.map(Effect.either(contactServer(endpoint, run)), (contact) => {
      const row = lineOf(serverFrame(endpoint, contact))
      if (Either.isRight(contact)) return [row]
      const { code, message } = contact.left
      noteFailure(endpoint.name, message)
      return [lineOf({ frame: 'warning', ...scope, code, message: `${endpoint.name}: ${message}` }), row]
    })
  return Stream.make(lineOf({ frame: 'scope', ...scope })).pipe(
    Stream.concat(Stream.fromIterable(notContacted.map((endpoint) => lineOf(serverFrame(endpoint, null))))),
    Stream.concat(
      Stream.fromIterable(endpoints.filter(isRequested)).pipe(
        Stream.rechunk(1),
        Stream.mapEffect(lines, { concurrency: 'unbounded', unordered: true }),
        Stream.flattenIterables,
      ),
    ),
    Stream.concat(Stream.make(lineOf({ frame: 'complete', ...scope, count: endpoints.length, visibility: null }))),
  )
}

/** A server: its endpoint, and its answer or why it could not be used. Null: it was not contacted. */
const serverFrame = (
  endpoint: StoredEndpoint,
  contact: Either.Either<ServerAnswer, ScopeFailed> | null,
): ServerFrame => {
  const answer = contact === null ? null : Either.getOrNull(contact)
  return {
    frame: 'server',
    server: endpoint.name,
    name: endpoint.name,
    host: endpoint.host,
    port: endpoint.port,
    token_id: endpoint.token_id,
    fingerprint: endpoint.fingerprint ?? '',
    verify_ssl: endpoint.verify_ssl,
    timeout_seconds: endpoint.timeout_seconds,
    version: answer === null ? null : fullVersion(answer),
    timezone: answer?.timezone ?? null,
    endpoint_id: endpoint.id,
    observed: {
      ...(contact === null ? notContacted : Either.match(contact, { onLeft: failed, onRight: answered })),
      tls_checked: endpoint.verify_ssl || (endpoint.fingerprint ?? '') !== '',
    },
  }
}

/** No statement about the server, so that its earlier status stays. */
const notContacted: ServerFrame['observed'] = { status: 'unknown', last_seen_at: null }

const answered = ({ at, latencyMs, clockOffsetSeconds: offset }: ServerAnswer): ServerFrame['observed'] => ({
  status: 'reachable',
  last_seen_at: at,
  latency_ms: latencyMs,
  ...(offset === null ? {} : { clock_offset_seconds: offset }),
})

/** A server that refuses a request is reachable. */
const failed = (failure: ScopeFailed): ServerFrame['observed'] => ({
  status: statusAfter(failure.code),
  last_seen_at: null,
  error: errorOf(failure),
})

/** `4.2.3`: PBS keeps the patch level apart. */
const fullVersion = ({ version, release }: ServerAnswer): string =>
  (release ?? '') === '' ? version : `${version}.${release}`
