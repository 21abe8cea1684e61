import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import { Effect, Redacted } from 'effect'

/** The cost of a new hash: 64 MiB of memory for about a quarter of a second. */
const cost = { N: 2 ** 16, r: 8, p: 1 }

const hashBytes = 32

/**
 * A password as it is stored: `scrypt$N$r$p$salt$hash`, salt and hash in base64url. The costs are
 * stored with it, so that later hashes may cost more.
 */
export const hashPassword = (password: Redacted.Redacted<string>): Effect.Effect<string> =>
  Effect.gen(function* () {
    const salt = randomBytes(16)
    const hash = yield* derive(password, salt, cost)
    return ['scrypt', cost.N, cost.r, cost.p, salt.toString('base64url'), hash.toString('base64url')].join('$')
  })

/** Whether a password has this hash. Without a hash it takes as long, and is not. */
export const passwordHasHash = (password: Redacted.Redacted<string>, stored: string | null): Effect.Effect<boolean> =>
  Effect.gen(function* () {
    const parsed = stored === null ? null : parse(stored)
    const { salt, hash, ...costs } = parsed ?? { ...cost, salt: Buffer.alloc(16), hash: Buffer.alloc(hashBytes) }
    const own = yield* derive(password, salt, costs)
    return timingSafeEqual(own, hash) && parsed !== null
  })

function parse(stored: string) {
  const [kind, N, r, p, salt = '', hash = ''] = stored.split('$')
  const bytes = Buffer.from(hash, 'base64url')
  if (kind !== 'scrypt' || bytes.length !== hashBytes) return null
  return { N: Number(N), r: Number(r), p: Number(p), salt: Buffer.from(salt, 'base64url'), hash: bytes }
}

const derive = (password: Redacted.Redacted<string>, salt: Buffer, costs: ScryptOptions): Effect.Effect<Buffer> =>
  Effect.async((resume) => {
    // One character may be written in several ways, and keyboards differ in which one they send.
    const text = Redacted.value(password).normalize('NFKC')
    scrypt(text, salt, hashBytes, { ...costs, maxmem: 256 * 1024 * 1024 }, (error, hash) =>
      resume(error === null ? Effect.succeed(hash) : Effect.die(error)),
    )
  })
