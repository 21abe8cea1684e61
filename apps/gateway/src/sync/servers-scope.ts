import type { StoredEndpoint } from '@netbox-pbs/core/ports'
import type { SyncRequest } from '@netbox-pbs/proxbox-client/contract'
import { Effect, Either, Stream } from 'effect'
import { contactServer } from '../endpoints/contact-server.ts'
import type { Fleet } from '../fleet/fleet.ts'
import { type Line, lineOf } from '../frames/line.ts'
import { serverFrame } from '../translate/server.ts'
import type { Tally } from './tally.ts'

/**
 * The servers of the gateway: each enabled endpoint is a row, whether it answers or not; a warning says why it does not. `servers`: the others are listed and not contacted; undefined: all are
 * contacted. A row comes when its server has answered, so that no server waits for a silent one.
 */
export const serversScope = (
  endpoints: ReadonlyArray<StoredEndpoint>,
  { servers: named, run }: Pick<SyncRequest, 'servers' | 'run'>,
  tally: Tally,
): Stream.Stream<Line, never, Fleet> => {
  const scope = { resource: 'servers' } as const
  const isRequested = ({ name }: StoredEndpoint) => named === undefined || named.includes(name)
  const notContacted = endpoints.filter((endpoint) => !isRequested(endpoint))
  const lines = (endpoint: StoredEndpoint): Effect.Effect<ReadonlyArray<Line>, never, Fleet> =>
    Effect.map(Effect.either(contactServer(endpoint, run)), (contact) => {
      const row = lineOf(serverFrame(endpoint, contact))
      if (Either.isRight(contact)) return [row]
      const { code, message } = contact.left
      tally.fail(endpoint.name, message)
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
