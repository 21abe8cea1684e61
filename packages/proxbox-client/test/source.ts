import { Source, type SourceFailed, type SourceFrame, type SourceRequest } from '@netbox-pbs/core/ports'
import { Effect, Redacted, type Scope, Stream } from 'effect'
import { proxboxSourceLayer, type Timeouts } from '../src/index.ts'

/** A key long enough for a gateway, and easy to find where it must not be. */
export const key = 'k3y-of-the-tests-0123456789abcdefgh'

/** Where a test's gateway is. */
export const addressOf = (url: string) => Effect.succeed({ url, key: Redacted.make(key) })

/** The frames of one request. */
export const framesFrom = (
  url: string,
  request: SourceRequest = { resource: 'snapshots' },
  timeouts: Timeouts = {},
): Stream.Stream<SourceFrame, SourceFailed> =>
  Stream.unwrap(Effect.map(Source, (source) => source.frames(request))).pipe(
    Stream.provideLayer(proxboxSourceLayer({ address: addressOf(url), timeouts })),
  )

/** All frames of a stream. */
export const allOf = (
  frames: Stream.Stream<SourceFrame, SourceFailed>,
): Effect.Effect<ReadonlyArray<SourceFrame>, SourceFailed> => Effect.map(Stream.runCollect(frames), (all) => [...all])

/** Runs a test's effect; a test fails with what the effect fails with. */
export const run = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>): Promise<A> =>
  Effect.runPromise(Effect.scoped(effect))
