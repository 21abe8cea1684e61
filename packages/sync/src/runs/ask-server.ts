import { Runs, Source, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect, Option, Stream } from 'effect'
import type { ServerJob } from '../scopes/scope-work.ts'
import { contactOf } from '../servers/contact-of.ts'
import { now } from '../timestamp.ts'
import type { ContactReport } from './job-progress.ts'

/** How often it is looked whether the run was cancelled meanwhile. */
const lookMillis = 250

/**
 * Has the source make its smallest request to a server, and gives what that told. None: the source cannot say, or the run was cancelled meanwhile.
 */
export const askServer = Effect.fn('sync.askServer')(function* ({
  server,
  runId,
}: Pick<ServerJob, 'server' | 'runId'>): Effect.fn.Return<Option.Option<ContactReport>, StoreFailed, Runs | Source> {
  const runs = yield* Runs
  const frames = (yield* Source).frames({ resource: 'servers', servers: [server], run: String(runId) })
  const asking = frames.pipe(
    Stream.filterMap((frame) =>
      frame._tag === 'server' && frame.facts.name === server ? Option.some(frame.observed) : Option.none(),
    ),
    Stream.runHead,
    Effect.orElseSucceed(() => Option.none()),
  )
  const cancelled = runs
    .cancelRequested({ id: runId })
    .pipe(Effect.delay(lookMillis), Effect.repeat({ until: (found) => found }), Effect.as(Option.none()))
  const reported = yield* Effect.raceFirst(asking, cancelled)
  const at = yield* now
  return Option.flatMapNullable(reported, (observed) => contactOf(observed, { at, runId }))
})
