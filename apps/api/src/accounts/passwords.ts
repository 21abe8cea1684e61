import { afterFailure, type FailedLogins, type LoginLimit, loginLimits, loginWait } from '@netbox-pbs/core'
import { type StoreFailed, type User, Users } from '@netbox-pbs/core/ports'
import { Clock, Context, Data, Effect, Layer, Option, type Redacted } from 'effect'
import { hashPassword, passwordHasHash } from './password-hash.ts'

/** The user does not exist, is not active or has no password, or the password is another one: the caller is not told which. */
export class WrongPassword extends Data.TaggedError('WrongPassword') {
  override get message(): string {
    return 'Invalid username/password'
  }
}

/** Too many logins failed before. */
export class LoginSlowed extends Data.TaggedError('LoginSlowed')<{ readonly seconds: number }> {
  override get message(): string {
    const { seconds } = this
    return `Too many logins have failed. Try again in ${seconds === 1 ? 'one second' : `${seconds} seconds`}.`
  }
}

/** A login with a password. */
interface Login {
  readonly username: string
  readonly password: Redacted.Redacted<string>
  /** Null: it is not known. */
  readonly address: string | null
}

/** Passwords of users: hashed, and verified at a login, which failures slow down. */
export class Passwords extends Context.Tag('@netbox-pbs/api/Passwords')<
  Passwords,
  {
    readonly hash: (password: Redacted.Redacted<string>) => Effect.Effect<string>
    /** The user of a login. */
    readonly logIn: (login: Login) => Effect.Effect<User, WrongPassword | LoginSlowed | StoreFailed, Users>
  }
>() {}

/** Passwords that are hashed at a time: each takes 64 MiB and a thread. */
const hashedAtOnce = 2

/** Records of failed logins that are kept; the oldest go first. */
const keptRecords = 10_000

/** Keeps the failed logins in the memory of this process. */
export const passwordsLayer: Layer.Layer<Passwords> = Layer.effect(
  Passwords,
  Effect.gen(function* () {
    const hashing = yield* Effect.makeSemaphore(hashedAtOnce)
    const failed = new Map<string, FailedLogins>()

    /** Counts a login as failed before it is verified, so that many at once are slowed as well. */
    const begin = (kinds: ReadonlyArray<Kind>, now: number): number => {
      const wait = Math.max(...kinds.map(({ key, limit }) => loginWait(failed.get(key), limit, now)))
      if (wait > 0) return wait
      for (const { key } of kinds) {
        const record = afterFailure(failed.get(key), now)
        failed.delete(key)
        failed.set(key, record)
      }
      for (const key of failed.keys()) {
        if (failed.size <= keptRecords) break
        failed.delete(key)
      }
      return 0
    }

    /** The wait begins when the login has failed: those before it may have taken long. */
    const restart = (key: string, now: number): void => {
      const record = failed.get(key)
      if (record !== undefined) failed.set(key, { ...record, last: now })
    }

    return {
      hash: (password) => hashing.withPermits(1)(hashPassword(password)),
      logIn: Effect.fn('Passwords.logIn')(function* ({ username, password, address }) {
        const kinds = kindsOf(username, address)
        const wait = begin(kinds, yield* Clock.currentTimeMillis)
        if (wait > 0) return yield* new LoginSlowed({ seconds: Math.ceil(wait / 1000) })
        const users = yield* Users
        const stored = isStorable(username) ? Option.getOrNull(yield* users.byName({ username })) : null
        const right = yield* hashing.withPermits(1)(passwordHasHash(password, stored?.passwordHash ?? null))
        if (stored === null || !right || !stored.is_active) {
          const now = yield* Clock.currentTimeMillis
          for (const { key } of kinds) restart(key, now)
          return yield* new WrongPassword()
        }
        for (const { key } of kinds) failed.delete(key)
        yield* users.loggedIn({ id: stored.id })
        const { passwordHash: _, ...user } = stored
        return user
      }),
    }
  }),
)

interface Kind {
  readonly key: string
  readonly limit: LoginLimit
}

const kindsOf = (username: string, address: string | null): ReadonlyArray<Kind> => {
  const user = username.slice(0, 150).toLowerCase()
  return [
    { key: `user at address ${address} ${user}`, limit: loginLimits.userAtAddress },
    { key: `address ${address}`, limit: loginLimits.address },
    { key: `user ${user}`, limit: loginLimits.user },
  ]
}

/** Text that a database can be asked for. */
const isStorable = (text: string): boolean => !text.includes('\0') && text.isWellFormed()
