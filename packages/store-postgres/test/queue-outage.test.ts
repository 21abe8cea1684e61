import { Queue, StoreFailed } from '@netbox-pbs/core/ports'
import { startPostgres } from '@netbox-pbs/testing'
import { Effect, Either, Exit, Layer, Logger, LogLevel, ManagedRuntime, Option, Redacted } from 'effect'
import { expect, test } from 'vitest'
import { Database } from '../src/database/database.ts'
import { migrate } from '../src/migrations/migrate.ts'
import { queueLayer } from '../src/queue/queue.ts'

test('a queue that opens too early opens later, and says when its database is gone', async () => {
  const server = await startPostgres()
  const database = Layer.orDie(Database.layerPg({ url: Redacted.make(server.url), poolSize: 2 }))
  const quiet = Logger.minimumLogLevel(LogLevel.None)
  const runtime = ManagedRuntime.make(queueLayer.pipe(Layer.provide(quiet), Layer.provideMerge(database)))
  try {
    const claim = Effect.flatMap(Queue, (queue) => queue.claim())
    expect(Exit.isFailure(await runtime.runPromiseExit(claim))).toBe(true)
    await runtime.runPromise(migrate)
    expect(await runtime.runPromise(claim)).toEqual(Option.none())
    await server.stop()
    const removed = await runtime.runPromise(Effect.either(claim))
    expect(Either.getLeft(removed)).toMatchObject(Option.some({ _tag: 'StoreFailed', reason: 'unavailable' }))
    expect(Option.getOrThrow(Either.getLeft(removed))).toBeInstanceOf(StoreFailed)
  } finally {
    await runtime.dispose()
    await server.stop()
  }
})
