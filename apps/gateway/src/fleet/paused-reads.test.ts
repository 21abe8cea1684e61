import { Chunk, Duration, Effect, Stream, TestClock, TestContext } from 'effect'
import { describe, expect, test } from 'vitest'
import { ScopeFailed } from '../scopes/scope-failed.ts'
import { hanging, PausedReads, refusing } from './paused-reads.ts'

const failing = (code: ScopeFailed['code']) => new ScopeFailed({ code, message: `it is ${code}`, retryable: true })

/** How often a list is asked for in `minutes`, once a minute, and what its last failure says. */
const askEachMinute = (reads: PausedReads, minutes: number, outcome: Effect.Effect<string, ScopeFailed>) =>
  Effect.gen(function* () {
    let requests = 0
    let answer = ''
    const list = Effect.suspend(() => {
      requests += 1
      return outcome
    })
    for (let minute = 0; minute < minutes; minute += 1) {
      answer = yield* Effect.merge(
        Effect.mapError(
          reads.ask('/status/datastore-usage', { run: undefined, pauses: true }, list),
          ({ message }) => message,
        ),
      )
      yield* TestClock.adjust(Duration.minutes(1))
    }
    return { requests, answer }
  })

const run = <A>(effect: Effect.Effect<A>) => Effect.runPromise(Effect.provide(effect, TestContext.TestContext))

test('a list that hangs is asked for more and more rarely, and says so', async () => {
  // After a minute, ten, sixty, and then every six hours.
  const { requests, answer } = await run(askEachMinute(new PausedReads(hanging), 24 * 60, failing('timeout')))
  expect(requests).toBe(4 + Math.floor((24 * 60 - 71) / 360))
  expect(answer).toContain('/status/datastore-usage was not asked for')
  expect(answer).toContain('systemctl restart proxmox-backup-proxy')
})

test('one that answers again is asked for each time', async () => {
  const reads = new PausedReads(hanging)
  const outcomes = Effect.gen(function* () {
    yield* askEachMinute(reads, 1, failing('timeout'))
    return yield* askEachMinute(reads, 30, Effect.succeed('rows'))
  })
  expect(await run(outcomes)).toEqual({ requests: 30, answer: 'rows' })
})

test('any other failure is no reason to wait', async () => {
  expect((await run(askEachMinute(new PausedReads(hanging), 5, failing('protocol')))).requests).toBe(5)
})

test('a refused token is sent again after the first time, then more and more rarely, and at once when resumed', async () => {
  const reads = new PausedReads(refusing)
  const refused = failing('unauthorized')
  // At the first two minutes, after an hour, and then every six hours.
  const { requests, answer } = await run(askEachMinute(reads, 24 * 60, refused))
  expect(requests).toBe(3 + Math.floor((24 * 60 - 62) / 360))
  expect(answer).toMatch(/the API token was refused, 6 times in a row; it is asked for again after 1970-01-0\dT/)
  reads.resume()
  expect((await run(askEachMinute(reads, 1, refused))).requests).toBe(1)
})

describe('in one run', () => {
  const asking = (run: string, pauses: boolean) => ({ run, pauses })

  test.each([true, false])('what hung is asked for once, however long the run takes (pauses: %s)', async (pauses) => {
    const reads = new PausedReads(hanging)
    let requests = 0
    const hangs = Effect.suspend(() => {
      requests += 1
      return failing('timeout')
    })
    const answer = await run(
      Effect.gen(function* () {
        const ask = (of: string) => Effect.flip(reads.ask('/access/permissions', asking(of, pauses), hangs))
        yield* ask('7')
        yield* TestClock.adjust(Duration.hours(7))
        return yield* ask('7')
      }).pipe(Effect.orDie),
    )
    expect(requests).toBe(1)
    expect(answer).toMatchObject({ code: 'timeout', retryable: true })
    expect(answer.message).toContain('/access/permissions was not asked for: it hung in this run already')
  })

  test('what hung is asked for in the next one, unless it pauses', async () => {
    const reads = new PausedReads(hanging)
    const requests = await run(
      Effect.gen(function* () {
        let count = 0
        const hangs = Effect.suspend(() => {
          count += 1
          return failing('timeout')
        })
        for (const pauses of [false, true])
          for (const of of ['7', '8']) yield* Effect.ignore(reads.ask(`${pauses}`, asking(of, pauses), hangs))
        return count
      }),
    )
    expect(requests).toBe(3)
  })

  test('a list that hangs while it is read counts as well, and one that ends is forgotten', async () => {
    const reads = new PausedReads(hanging)
    const rows = (...then: ReadonlyArray<Stream.Stream<string, ScopeFailed>>) =>
      reads
        .askStream(
          '/nodes/localhost/tasks',
          asking('7', false),
          Stream.concatAll(Chunk.fromIterable([Stream.make('a'), ...then])),
        )
        .pipe(Stream.runCollect, Effect.map(Chunk.toReadonlyArray), Effect.merge)
    expect(await run(rows())).toEqual(['a'])
    expect(await run(rows(Stream.fail(failing('timeout'))))).toMatchObject({ message: 'it is timeout' })
    expect(await run(rows())).toMatchObject({ message: expect.stringContaining('it hung in this run already') })
  })
})
