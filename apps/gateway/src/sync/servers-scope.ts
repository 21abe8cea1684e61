import type { StoredEndpoint } from '@netbox-pbs/core/ports'
import { Effect, Either, Stream } from 'effect'
import { contactServer } from '../endpoints/contact-server.ts'
import { Fleet } from '../fleet/fleet.ts'
import { type Line, lineOf } from '../frames/line.ts'
import { serverFrame } from '../translate/server.ts'
import type { Tally } from './tally.ts'

/** The servers of the gateway: each enabled endpoint is a row, whether it answers or not; a warning says why it does not. */
export const serversScope = (
  endpoints: ReadonlyArray<StoredEndpoint>,
  tally: Tally,
): Stream.Stream<Line, never, Fleet> => {
  const scope = { resource: 'servers' } as const
  const lines = (endpoint: StoredEndpoint): Effect.Effect<ReadonlyArray<Line>, never, Fleet> =>
    Effect.map(Effect.either(contactServer(endpoint)), (contact) => {
      const row = lineOf(serverFrame(endpoint, contact))
      if (Either.isRight(contact)) return [row]
      const { code, message } = contact.left
      tally.fail(endpoint.name, message)
      return [lineOf({ frame: 'warning', ...scope, code, message: `${endpoint.name}: ${message}` }), row]
    })
  return Stream.unwrap(
    Effect.map(Fleet, ({ width }) =>
      Stream.make(lineOf({ frame: 'scope', ...scope })).pipe(
        Stream.concat(
          Stream.fromIterable(endpoints).pipe(
            Stream.rechunk(1),
            Stream.mapEffect(lines, { concurrency: width }),
            Stream.flattenIterables,
          ),
        ),
        Stream.concat(Stream.make(lineOf({ frame: 'complete', ...scope, count: endpoints.length, view: null }))),
      ),
    ),
  )
}
