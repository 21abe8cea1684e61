import { PassThrough, Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { Chunk, Deferred, Effect, Exit, Queue, Ref, Stream, TestClock, TestContext } from 'effect'
import { describe, expect, test } from 'vitest'
import { bodyBytes, watchSilence } from './body-bytes.ts'

const kib = 1024

describe('bodyBytes', () => {
  test('gives every byte in its order, whatever the size of the pieces', async () => {
    const pieces = Array.from({ length: 300 }, (_, i) => Buffer.alloc((i * 37) % 5000, i))
    const read = await Effect.runPromise(Stream.runCollect(bodyBytes(Readable.from(pieces, { objectMode: false }))))
    expect(Buffer.concat([...read])).toEqual(Buffer.concat(pieces))
  })

  test('reads half a MiB and one piece ahead of a busy reader, and goes on when it comes back', async () => {
    let pulled = 0
    const body = new Readable({
      highWaterMark: 0,
      read() {
        pulled += 1
        this.push(pulled > 100 ? null : Buffer.alloc(64 * kib))
      },
    })
    let turns = 0
    const ahead = await Effect.runPromise(
      Stream.runFoldEffect(Stream.chunks(bodyBytes(body)), 0, (most, chunk) =>
        Effect.promise(async () => {
          const before = pulled
          turns += 1
          for (let turn = 0; turn < 50; turn += 1) await setImmediate()
          expect(Chunk.size(chunk)).toBeLessThanOrEqual(10)
          return Math.max(most, pulled - before)
        }),
      ),
    )
    expect(pulled).toBe(101)
    expect(turns).toBeGreaterThan(5)
    expect(ahead).toBeLessThanOrEqual(10)
  })

  test.each<[string, (body: PassThrough) => void]>([
    ['an error', (body) => body.destroy(new Error('reset'))],
    ['a close without an end', (body) => body.destroy()],
  ])('gives what came before %s, then fails', async (_, breakOff) => {
    const body = new PassThrough()
    body.on('error', () => undefined)
    body.write('abc')
    const seen: Array<string> = []
    const exit = await Effect.runPromiseExit(
      Stream.runForEach(bodyBytes(body), (bytes) =>
        Effect.sync(() => {
          seen.push(Buffer.from(bytes).toString())
          breakOff(body)
        }),
      ),
    )
    expect(seen).toEqual(['abc'])
    expect(Exit.isFailure(exit)).toBe(true)
  })
})

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
