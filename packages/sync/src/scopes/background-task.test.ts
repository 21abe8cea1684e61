import { StoreFailed } from '@netbox-pbs/core/ports'
import { Deferred, Effect, Exit } from 'effect'
import { expect, test } from 'vitest'
import { BackgroundTask } from './background-task.ts'

const failure = new StoreFailed({ reason: 'unavailable', operation: 'staging' })

test('the reading goes on while a piece of work is under way, and waits before it starts another', async () => {
  const seen: Array<string> = []
  await Effect.runPromise(
    Effect.gen(function* () {
      const background = yield* BackgroundTask.make
      const first = yield* Deferred.make<void>()
      const reading = Effect.gen(function* () {
        yield* background.start(Effect.tap(Deferred.await(first), () => Effect.sync(() => seen.push('first over'))))
        seen.push('read on')
        yield* Deferred.succeed(first, undefined)
        yield* background.start(Effect.sync(() => seen.push('second')))
        yield* background.over
        seen.push('read to the end')
      })
      yield* background.during(reading)
    }),
  )
  expect(seen).toEqual(['read on', 'first over', 'second', 'read to the end'])
})

test('a piece that fails ends a reading that waits for its source', { timeout: 5000 }, async () => {
  const exit = await Effect.runPromiseExit(
    Effect.gen(function* () {
      const background = yield* BackgroundTask.make
      return yield* background.during(Effect.zipRight(background.start(Effect.fail(failure)), Effect.never))
    }),
  )
  expect(exit).toEqual(Exit.fail(failure))
})

test.each(['the reading ends', 'it is stopped'] as const)(
  'work is interrupted when %s',
  { timeout: 5000 },
  async (how) => {
    const interrupted = await Effect.runPromise(
      Effect.gen(function* () {
        const background = yield* BackgroundTask.make
        const begun = yield* Deferred.make<void>()
        let ended = false
        const work = Effect.zipRight(Deferred.succeed(begun, undefined), Effect.never).pipe(
          Effect.onInterrupt(() => Effect.sync(() => (ended = true))),
        )
        const start = Effect.zipRight(background.start(work), Deferred.await(begun))
        if (how === 'the reading ends') yield* background.during(start)
        else yield* background.during(Effect.zipRight(start, background.stop))
        return ended
      }),
    )
    expect(interrupted).toBe(true)
  },
)
