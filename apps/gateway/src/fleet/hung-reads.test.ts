import { Duration, Effect, TestClock, TestContext } from 'effect'
import { expect, test } from 'vitest'
import { ScopeFailed } from '../frames/scope-failed.ts'
import { HungReads } from './hung-reads.ts'

const failing = (code: ScopeFailed['code']) => new ScopeFailed({ code, message: `it is ${code}`, retryable: true })

/** How often a list is asked for in `minutes`, once a minute, and what its last failure says. */
const askEachMinute = (reads: HungReads, minutes: number, outcome: Effect.Effect<string, ScopeFailed>) =>
  Effect.gen(function* () {
    let asked = 0
    let said = ''
    const list = Effect.suspend(() => {
      asked += 1
      return outcome
    })
    for (let minute = 0; minute < minutes; minute += 1) {
      said = yield* Effect.merge(Effect.mapError(reads.ask('/status/datastore-usage', list), ({ message }) => message))
      yield* TestClock.adjust(Duration.minutes(1))
    }
    return { asked, said }
  })

const run = <A>(effect: Effect.Effect<A>) => Effect.runPromise(Effect.provide(effect, TestContext.TestContext))

test('a list that hangs is asked for more and more rarely, and says so', async () => {
  // After a minute, ten, sixty, and then every six hours.
  const { asked, said } = await run(askEachMinute(new HungReads(), 24 * 60, failing('timeout')))
  expect(asked).toBe(4 + Math.floor((24 * 60 - 71) / 360))
  expect(said).toContain('/status/datastore-usage was not asked for')
  expect(said).toContain('systemctl restart proxmox-backup-proxy')
})

test('one that answers again is asked for each time', async () => {
  const reads = new HungReads()
  const outcomes = Effect.gen(function* () {
    yield* askEachMinute(reads, 1, failing('timeout'))
    return yield* askEachMinute(reads, 30, Effect.succeed('rows'))
  })
  expect(await run(outcomes)).toEqual({ asked: 30, said: 'rows' })
})

test('any other failure is no reason to wait', async () => {
  expect((await run(askEachMinute(new HungReads(), 5, failing('protocol')))).asked).toBe(5)
})
