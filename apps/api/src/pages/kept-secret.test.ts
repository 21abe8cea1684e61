import { Effect, Option, Redacted, TestClock, TestContext } from 'effect'
import { expect, test } from 'vitest'
import { keepSecret, openKept } from './kept-secret.ts'

const viewer = { username: 'ada', servers: null, writes: true, operates: true, formToken: 'a', session: 'a' }
const secret = '6f0c1d7e-89ab-4cde-8f01-23456789abcd'
const kept = keepSecret(Redacted.make(secret), viewer)
const run = <A>(effect: Effect.Effect<A>) => Effect.runPromise(Effect.provide(effect, TestContext.TestContext))

test('a kept secret opens in its session for a quarter of an hour', async () => {
  const seen = await run(
    Effect.gen(function* () {
      const sealed = yield* kept
      const soon = yield* openKept(sealed, viewer)
      const elsewhere = yield* openKept(sealed, { ...viewer, session: 'b' })
      yield* TestClock.adjust('15 minutes')
      return { sealed, soon, elsewhere, late: yield* openKept(sealed, viewer) }
    }),
  )
  expect(Option.map(seen.soon, Redacted.value)).toEqual(Option.some(secret))
  expect([seen.elsewhere, seen.late]).toEqual([Option.none(), Option.none()])
  expect(Buffer.from(seen.sealed, 'base64url').toString('latin1')).not.toContain(secret)
})

test.each(['', 'x', 'A'.repeat(200)])('%j opens nothing', async (text) => {
  expect(await run(openKept(text, viewer))).toEqual(Option.none())
})
