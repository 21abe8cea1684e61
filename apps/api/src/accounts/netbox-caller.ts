import { Identities, type StoreFailed } from '@netbox-pbs/core/ports'
import { Clock, Effect } from 'effect'
import { type NetBoxCaller, NetBoxTokens, type SentToken } from '../netbox/netbox-tokens.ts'
import type { Caller } from '../rest/caller.ts'
import { forbidden, HttpError } from '../rest/http-error.ts'

/** What a request brings that tells who asks. */
interface TokenOfRequest extends SentToken {
  /** Of the request, for the change log. */
  readonly requestId: string
}

/** Only such texts are tokens of NetBox: nothing else is sent there. */
const shapes = { 1: /^[A-Za-z0-9]{40}$/, 2: /^nbt_[A-Za-z0-9]{12}\.[A-Za-z0-9]{40}$/ } as const

/**
 * The user of a token that this system does not know, by NetBox; null: no NetBox is configured, or
 * the text is no token of one. The user is found, or made, by the NetBox and the user's id there.
 */
export const netBoxCaller = Effect.fn('netBoxCaller')(function* ({
  requestId,
  ...token
}: TokenOfRequest): Effect.fn.Return<Caller | null, HttpError | StoreFailed, NetBoxTokens | Identities> {
  const { caller } = yield* NetBoxTokens
  if (caller === null || !shapes[token.version].test(token.text)) return null
  const { person, write_enabled, expires } = yield* Effect.catchTags(caller(token), {
    NetBoxRefused: ({ message }) => forbidden(message),
    NetBoxUnavailable: ({ message }) => new HttpError({ status: 503, body: { detail: message } }),
  })
  // NetBox's answer may be a minute old.
  if (expires !== null && Date.parse(expires) <= (yield* Clock.currentTimeMillis))
    return yield* forbidden('Token expired')
  const { id, username, role, servers } = yield* userOf(person, requestId)
  return { id, username, role, servers, write_enabled, expires, ofNetBox: true }
})

/** The user of a person. Most requests find nothing new and write nothing. */
const userOf = (person: NetBoxCaller['person'], requestId: string) =>
  Effect.flatMap(Identities, (identities) => identities.follow({ ...person, requestId })).pipe(
    Effect.catchTags({
      UsernameTaken: ({ username }) =>
        forbidden(
          `There is another user ${username} here, who is not the one of NetBox. Ask an administrator to rename that user.`,
        ),
      UserNotActive: () => forbidden('User inactive'),
      LastAdmin: () =>
        forbidden('You are the only admin here, and none of your groups in NetBox makes you one any more.'),
    }),
  )
