import { createHash } from 'node:crypto'
import { type Role, roleOfGroups } from '@netbox-pbs/core'
import type { IdentifiedUser } from '@netbox-pbs/core/ports'
import { Cache, Context, Data, Duration, Effect, Exit, FiberRef, Layer, type Scope } from 'effect'
import { z } from 'zod'
import type { NetBoxConfig } from './netbox-config.ts'
import { type AskNetBox, type NetBoxAnswer, netBoxHttp } from './netbox-http.ts'

/** NetBox, or the rules here, do not accept a token. The message is for the client. */
export class NetBoxRefused extends Data.TaggedError('NetBoxRefused')<{ readonly message: string }> {}

/** NetBox could not be asked about a token. The cause is for the log, and holds no token. */
export class NetBoxUnavailable extends Data.TaggedError('NetBoxUnavailable')<{
  readonly why: string
  readonly cause: string
}> {
  override get message(): string {
    return `This token is not one of this system, and NetBox cannot be asked about it: ${this.why}. Try again.`
  }
}

/** A token as the client sends it. */
export interface SentToken {
  readonly version: 1 | 2
  /** The public part of version 2. */
  readonly key: string
  readonly text: string
  /** Where the client is; null: unknown. */
  readonly address: string | null
}

/** The user of a token of NetBox, as NetBox knows them, and what the token allows. */
export interface NetBoxCaller {
  readonly person: Omit<IdentifiedUser, 'requestId'>
  readonly write_enabled: boolean
  /** RFC 3339; null: never, or not known. */
  readonly expires: string | null
}

/** The tokens of a NetBox that the operator has configured. */
export class NetBoxTokens extends Context.Tag('@netbox-pbs/api/NetBoxTokens')<
  NetBoxTokens,
  {
    /** Null: no NetBox is configured. */
    readonly caller: ((token: SentToken) => Effect.Effect<NetBoxCaller, NetBoxRefused | NetBoxUnavailable>) | null
  }
>() {}

/** How long an answer is used again. A token that ends in NetBox ends here at most so much later. */
const kept = { accepted: Duration.seconds(60), refused: Duration.seconds(60), unavailable: Duration.seconds(3) }

/** Answers that are kept; beyond them the one that was used longest ago goes. */
const most = 2_000

/** Tokens that NetBox is asked about at once, and that wait for it; further ones are turned away. */
const asking = { atOnce: 16, waiting: 64 }

const none = new NetBoxRefused({ message: '' })

/** The token of the question that runs: the cache itself knows tokens by their hashes only. */
const question: FiberRef.FiberRef<SentToken | null> = FiberRef.unsafeMake<SentToken | null>(null)

/** Asks NetBox about tokens, and keeps its answers for a while. */
export const netBoxTokensLayer = (config: NetBoxConfig | null): Layer.Layer<NetBoxTokens> =>
  config === null ? Layer.succeed(NetBoxTokens, { caller: null }) : Layer.scoped(NetBoxTokens, askingCached(config))

const askingCached = (config: NetBoxConfig): Effect.Effect<NetBoxTokens['Type'], never, Scope.Scope> =>
  Effect.gen(function* () {
    const { ask, close } = netBoxHttp(config)
    yield* Effect.addFinalizer(() => Effect.promise(close))
    const atOnce = yield* Effect.makeSemaphore(asking.atOnce)
    const waiting = yield* Effect.makeSemaphore(asking.waiting)
    const answers = yield* Cache.makeWith({
      capacity: most,
      lookup: (_hash: string) =>
        Effect.flatMap(FiberRef.get(question), (token) =>
          token === null
            ? Effect.fail(none)
            : waiting
                .withPermitsIfAvailable(1)(atOnce.withPermits(1)(askAbout(config, ask, token)))
                .pipe(
                  Effect.flatten,
                  Effect.catchTag('NoSuchElementException', () => unavailable('too many tokens wait for it', 'busy')),
                ),
        ),
      timeToLive: Exit.match({
        onSuccess: () => kept.accepted,
        onFailure: (cause) =>
          cause._tag === 'Fail' && cause.error._tag === 'NetBoxRefused' ? kept.refused : kept.unavailable,
      }),
    })
    return {
      // A client that leaves would end the question for the others that wait for the same answer.
      caller: (token) => Effect.uninterruptible(Effect.locally(answers.get(hashOf(token)), question, token)),
    }
  })

/** NetBox judges a token by the address that sends it, so both are the key of an answer. */
const hashOf = ({ text, address }: SentToken): string =>
  createHash('sha256')
    .update(JSON.stringify([text, address]))
    .digest('base64')

const unavailable = (why: string, cause: string): Effect.Effect<never, NetBoxUnavailable> =>
  Effect.zipRight(
    Effect.logWarning('NetBox cannot be asked about a token', cause),
    new NetBoxUnavailable({ why, cause }),
  )

const checkPath = 'api/authentication-check/'
const tokensPath = 'api/users/tokens/'

const askAbout = (config: NetBoxConfig, ask: AskNetBox, token: SentToken) =>
  Effect.gen(function* () {
    const authorization = `${token.version === 2 ? 'Bearer' : 'Token'} ${token.text}`
    const asked = (method: 'GET' | 'OPTIONS', path: string) =>
      Effect.tryPromise({
        try: (signal) => ask({ method, path, authorization, address: token.address, signal }),
        catch: (cause) => cause,
      }).pipe(Effect.catchAll((cause) => unavailable(whyOf(cause), codeOf(cause))))
    const person = yield* personOf(config, token, yield* asked('GET', checkPath))
    // The check says nothing of the token itself.
    const rights =
      token.version === 2
        ? rightsOf(token.key, yield* asked('GET', `${tokensPath}?${new URLSearchParams({ key: token.key })}`))
        : mayCreate(yield* asked('OPTIONS', tokensPath))
    const caller: NetBoxCaller = { person, ...rights }
    return caller
  })

const text = (max: number) => z.string().trim().max(max)

const Person = z.object({
  id: z.int().positive(),
  username: text(150).min(1),
  first_name: text(150).catch(''),
  last_name: text(150).catch(''),
  email: text(254).catch(''),
  is_active: z.boolean().catch(true),
  groups: z.array(z.object({ name: z.string() })).max(10_000),
})

const Refusal = z.object({ detail: z.string() })

/** NetBox's own sentences about a token; any other reads as one that is not known. */
const sentences =
  /^(?:Invalid v[12] token|Token disabled|Token expired|User inactive|Source IP [\da-f.:]{1,45} is not permitted to authenticate using this token\.)$/i

function personOf(
  { url, groupRoles }: NetBoxConfig,
  { version }: SentToken,
  { status, json }: NetBoxAnswer,
): Effect.Effect<NetBoxCaller['person'], NetBoxRefused | NetBoxUnavailable> {
  if (status === 401 || status === 403) {
    const { data } = Refusal.safeParse(json)
    return new NetBoxRefused({
      message: data !== undefined && sentences.test(data.detail) ? data.detail : `Invalid v${version} token`,
    })
  }
  if (status === 404) return unavailable('it is older than NetBox 4.5', `${checkPath} is not there`)
  if (status !== 200) return unavailable(`it answered with status ${status}`, `${checkPath} answered ${status}`)
  const read = Person.safeParse(json)
  if (!read.success || /\p{Cc}/u.test(read.data.username))
    return unavailable('it did not answer like NetBox', `${checkPath} did not answer with a user`)
  const { id, groups, is_active, ...person } = read.data
  if (!is_active) return new NetBoxRefused({ message: 'User inactive' })
  const role: Role | null = roleOfGroups(
    groupRoles,
    groups.map(({ name }) => name),
  )
  if (role === null) return new NetBoxRefused({ message: 'None of your groups in NetBox has a role here.' })
  return Effect.succeed({ ...person, role, identity: { issuer: `netbox ${url.href}`, subject: String(id) } })
}

type Rights = Pick<NetBoxCaller, 'write_enabled' | 'expires'>

const readOnly: Rights = { write_enabled: false, expires: null }

const Tokens = z.object({
  results: z.array(
    z.object({
      key: z.string().nullable(),
      write_enabled: z.boolean(),
      expires: z.iso.datetime({ offset: true }).nullable(),
    }),
  ),
})

/** What the user's own list says of a token of version 2; one that it does not show may only read. */
function rightsOf(key: string, { status, json }: NetBoxAnswer): Rights {
  const read = status === 200 ? Tokens.safeParse(json).data : undefined
  const token = read?.results.find((one) => one.key === key)
  return token === undefined ? readOnly : { write_enabled: token.write_enabled, expires: token.expires }
}

/** A token of version 1 may write if it could create a token, which NetBox lets every user do unless it is told otherwise. */
function mayCreate({ status, json }: NetBoxAnswer): Rights {
  const read = z.object({ actions: z.object({ POST: z.record(z.string(), z.unknown()) }) }).safeParse(json)
  return status === 200 && read.success ? { write_enabled: true, expires: null } : readOnly
}

const codes = z.object({ code: z.string().regex(/^[A-Z0-9_]{1,60}$/) })

/** A code of Node or OpenSSL, or the kind of the error: never its text, which may repeat what was sent. */
function codeOf(cause: unknown): string {
  const inner = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause
  return codes.safeParse(inner).data?.code ?? (inner instanceof Error ? inner.name : 'unknown')
}

const whyOf = (cause: unknown): string =>
  /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS/.test(codeOf(cause)) ? 'its certificate is not trusted' : 'it does not answer'
