import { statusAfter } from '@netbox-pbs/core'
import type { StoredEndpoint } from '@netbox-pbs/core/ports'
import type { FailedCode, ServerFrame, SyncRequest } from '@netbox-pbs/proxbox-client/contract'
import { Effect, Either, Stream } from 'effect'
import { contactServer, type ServerAnswer } from '../endpoints/endpoint-reader.ts'
import type { Fleet } from '../fleet/fleet.ts'
import { type Line, lineOf } from './open-scope.ts'
import { errorOf, type ScopeFailed } from './scope-failed.ts'

/**
 * The servers of the gateway as the lines of their scope: a row for each enabled endpoint as soon
 * as its server has answered, with a call of `noteFailure` if it does not; the warnings come last.
 * With `servers` the others are listed without a request.
 */
export const serversScope = (
  endpoints: ReadonlyArray<StoredEndpoint>,
  { servers: named, run }: Pick<SyncRequest, 'servers' | 'run'>,
  noteFailure: (server: string, message: string) => void,
): Stream.Stream<Line, never, Fleet> => {
  const scope = { resource: 'servers' } as const
  const isRequested = ({ name }: StoredEndpoint) => named === undefined || named.includes(name)
  const notContacted = endpoints.filter((endpoint) => !isRequested(endpoint))
  const requested = endpoints.filter(isRequested)
  const failures: Array<ServerFailure> = []
  const line = (endpoint: StoredEndpoint): Effect.Effect<Line, never, Fleet> =>
    Effect.map(Effect.either(contactServer(endpoint, run)), (contact) => {
      if (Either.isLeft(contact)) {
        const { code, message } = contact.left
        noteFailure(endpoint.name, message)
        failures.push({ server: endpoint.name, code, message })
      }
      return lineOf(serverFrame(endpoint, contact))
    })
  const warnings = Stream.suspend(() =>
    Stream.fromIterable(
      failureWarnings(failures, requested.length).map((warning) => lineOf({ frame: 'warning', ...scope, ...warning })),
    ),
  )
  return Stream.make(lineOf({ frame: 'scope', ...scope })).pipe(
    Stream.concat(Stream.fromIterable(notContacted.map((endpoint) => lineOf(serverFrame(endpoint, null))))),
    Stream.concat(
      Stream.fromIterable(requested).pipe(
        Stream.rechunk(1),
        Stream.mapEffect(line, { concurrency: 'unbounded', unordered: true }),
      ),
    ),
    Stream.concat(warnings),
    Stream.concat(Stream.make(lineOf({ frame: 'complete', ...scope, count: endpoints.length, visibility: null }))),
  )
}

/** Why a server could not be used. */
export interface ServerFailure {
  readonly server: string
  readonly code: FailedCode
  readonly message: string
}

/** Where to look when all servers fail in the same way at once. */
const common: Readonly<Partial<Record<FailedCode, string>>> = {
  unreachable: 'look at the network, DNS and firewall of the gateway, and at its secret key',
  timeout: 'look at the network and firewall of the gateway',
  tls_fingerprint_mismatch: 'something between the gateway and the servers may answer in their place',
  tls_untrusted: 'something between the gateway and the servers may answer in their place',
  unauthorized: 'a proxy between the gateway and the servers may drop the header with the token',
}

/**
 * The warnings of the servers that could not be used: one each, by name. Several servers that all
 * fail in one way have one cause more likely than several, and get one warning.
 *
 * @param contacted - How many servers were contacted.
 */
export function failureWarnings(
  failures: ReadonlyArray<ServerFailure>,
  contacted: number,
): ReadonlyArray<{ readonly code: string; readonly message: string }> {
  const sorted = [...failures].sort((a, b) => (a.server < b.server ? -1 : 1))
  const [first] = sorted
  const where = first === undefined ? undefined : common[first.code]
  if (
    first === undefined ||
    where === undefined ||
    contacted < 2 ||
    failures.length < contacted ||
    sorted.some(({ code }) => code !== first.code)
  )
    return sorted.map(({ server, code, message }) => ({ code, message: `${server}: ${message}` }))
  return [
    {
      code: 'all_servers_failed',
      message: `all ${contacted} servers fail with ${first.code} at once: ${where}. ${first.server}: ${first.message}`,
    },
  ]
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
