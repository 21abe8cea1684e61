import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { Workers } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { repeatForever } from './repeat-forever.ts'

/** Says every fifteen seconds that this worker lives, and at its end that it has stopped. */
export const beatForever: Effect.Effect<never, never, Workers> = Effect.gen(function* () {
  const workers = yield* Workers
  const worker = { id: randomUUID(), name: `${hostname()} ${process.pid}` }
  return yield* repeatForever(workers.heartbeat(worker), {
    what: 'saying that the worker lives',
    every: '15 seconds',
  }).pipe(
    // A database that is down then hears of it by silence.
    Effect.ensuring(Effect.ignore(Effect.timeout(workers.stopped(worker), '2 seconds'))),
  )
})
