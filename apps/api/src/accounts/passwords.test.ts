import { scryptSync } from 'node:crypto'
import { type User, Users } from '@netbox-pbs/core/ports'
import { Effect, Either, Layer, Option, Redacted, TestClock, TestContext } from 'effect'
import { expect, test } from 'vitest'
import { Passwords, passwordsLayer } from './passwords.ts'

const password = 'correct horse battery'
// Of a cost that tests can pay often.
const salt = Buffer.alloc(16, 1)
const hash = `scrypt$1024$8$1$${salt.toString('base64url')}$${scryptSync(password, salt, 32, { N: 1024 }).toString('base64url')}`

const ada: User = {
  ...{ id: 1, username: 'ada', first_name: '', last_name: '', email: '', is_active: true, role: 'viewer' },
  ...{ servers: null, created: '2026-01-01T00:00:00Z', last_login: null, has_password: true },
}

/** Every name is that of an active user with the one password, but for `gone` and `absent`. */
const users = Layer.mock(Users, {
  byName: ({ username }) =>
    Effect.succeed(
      username === 'absent'
        ? Option.none()
        : Option.some({ ...ada, username, is_active: username !== 'gone', passwordHash: hash }),
    ),
  loggedIn: () => Effect.void,
})

/** The name of the user, the seconds to wait, or the error of a login. */
const logIn = (username: string, text: string, address = '192.0.2.1') =>
  Effect.flatMap(Passwords, (passwords) => passwords.logIn({ username, password: Redacted.make(text), address })).pipe(
    Effect.either,
    Effect.map(
      Either.match({
        onLeft: (error) => (error._tag === 'LoginSlowed' ? error.seconds : error._tag),
        onRight: (user) => user.username,
      }),
    ),
  )
const right = (username: string, address?: string) => logIn(username, password, address)
const wrong = (username: string, address?: string) => logIn(username, 'wrong', address)

const run = <A, E>(work: Effect.Effect<A, E, Passwords | Users>) =>
  Effect.runPromise(
    work.pipe(Effect.provide(Layer.merge(passwordsLayer, users)), Effect.provide(TestContext.TestContext)),
  )

test('only the right password of an active user logs in', async () => {
  const logins = Effect.all([right('ada'), wrong('ada'), right('gone'), right('absent'), right('a\0b')])
  expect(await run(logins)).toEqual(['ada', ...Array.from({ length: 4 }, () => 'WrongPassword')])
})

test('after five failures the user waits at that address, each time twice as long, and a login starts afresh', async () => {
  const logins = Effect.gen(function* () {
    for (let n = 0; n < 5; n += 1) expect(yield* wrong('ada')).toBe('WrongPassword')
    expect([yield* right('ada'), yield* right('ADA')]).toEqual([1, 1])
    expect([yield* right('ada', '192.0.2.2'), yield* right('bob')]).toEqual(['ada', 'bob'])
    yield* TestClock.adjust('1 second')
    expect([yield* wrong('ada'), yield* right('ada')]).toEqual(['WrongPassword', 2])
    yield* TestClock.adjust('2 seconds')
    expect([yield* right('ada'), yield* wrong('ada'), yield* right('ada')]).toEqual(['ada', 'WrongPassword', 'ada'])
  })
  await run(logins)
})

test('of many at once only the free ones are verified', async () => {
  const many = Effect.all(
    Array.from({ length: 12 }, () => wrong('ada')),
    { concurrency: 'unbounded' },
  )
  const answers = await run(many)
  expect(answers.filter((answer) => answer === 'WrongPassword')).toHaveLength(5)
  expect(answers.filter((answer) => answer === 1)).toHaveLength(7)
})

test('an address that guesses at many users waits for all of them', async () => {
  const logins = Effect.gen(function* () {
    for (let n = 0; n < 20; n += 1) yield* wrong(`user${n}`)
    return [yield* right('ada'), yield* right('ada', '192.0.2.2')]
  })
  expect(await run(logins)).toEqual([1, 'ada'])
})
