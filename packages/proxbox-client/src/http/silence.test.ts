import { Deferred, Effect, Queue, Ref, Stream, TestClock, TestContext } from 'effect'
import { describe, expect, test } from 'vitest'
import { watchSilence } from './silence.ts'

const run = <A>(effect: Effect.Effect<A>) => Effect.runPromise(Effect.provide(effect, TestContext.TestContext))

/** A watched stream of numbers, and what its reader does with each. */
const watching = (reader: (item: number) => Effect.Effect<unknown>) =>
  Effect.gen(function* () {
    const hungUp = yield* Ref.make(0)
    const arriving = yield* Queue.unbounded<number>()
    const watch = yield* watchSilence(
      1000,
      Ref.update(hungUp, (times) => times + 1),
    )
    const stream = Stream.fromQueue(arriving).pipe(Stream.pipeThroughChannel(watch.watched<number, never>()))
    yield* Effect.forkScoped(Stream.runForEach(stream, reader))
    return { arriving, hungUp, watch }
  })

describe('watchSilence', () => {
  test('hangs up once when nothing arrives in time', async () => {
    const seen = await run(
      Effect.gen(function* () {
        const { hungUp, watch } = yield* watching(() => Effect.void)
        yield* TestClock.adjust(999)
        const before = [yield* Ref.get(hungUp), watch.expired()]
        yield* TestClock.adjust(10_000)
        return [before, [yield* Ref.get(hungUp), watch.expired()]]
      }).pipe(Effect.scoped),
    )
    expect(seen).toEqual([
      [0, false],
      [1, true],
    ])
  })

  test('any data restarts the wait', async () => {
    const times = await run(
      Effect.gen(function* () {
        const { arriving, hungUp } = yield* watching(() => Effect.void)
        for (let item = 0; item < 5; item += 1) {
          yield* TestClock.adjust(900)
          yield* Queue.offer(arriving, item)
        }
        return yield* Ref.get(hungUp)
      }).pipe(Effect.scoped),
    )
    expect(times).toBe(0)
  })

  test('the time of a slow reader is no silence', async () => {
    const times = await run(
      Effect.gen(function* () {
        const reading = yield* Deferred.make<void>()
        const { arriving, hungUp } = yield* watching(() =>
          Effect.zipRight(Deferred.succeed(reading, undefined), Effect.never),
        )
        yield* Queue.offer(arriving, 1)
        yield* Deferred.await(reading)
        yield* TestClock.adjust(60_000)
        return yield* Ref.get(hungUp)
      }).pipe(Effect.scoped),
    )
    expect(times).toBe(0)
  })

  test('what is no progress does not start the wait again', async () => {
    const seen = await run(
      Effect.gen(function* () {
        const hungUp = yield* Ref.make(0)
        const arriving = yield* Queue.unbounded<number>()
        const watch = yield* watchSilence(1000, Ref.set(hungUp, 1))
        const isEven = (item: number) => item % 2 === 0
        const stream = Stream.fromQueue(arriving).pipe(Stream.pipeThroughChannel(watch.watched<number, never>(isEven)))
        yield* Effect.forkScoped(Stream.runDrain(stream))
        const times: Array<number> = []
        for (const item of [1, 1, 2, 1, 1, 1]) {
          yield* TestClock.adjust(400)
          yield* Queue.offer(arriving, item)
          times.push(yield* Ref.get(hungUp))
        }
        return times
      }).pipe(Effect.scoped),
    )
    expect(seen).toEqual([0, 0, 1, 1, 1, 1])
  })
})
