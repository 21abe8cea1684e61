import { type Role, roleOfGroups } from '@netbox-pbs/core'
import type { IdentifiedUser } from '@netbox-pbs/core/ports'
import { Context, Data, Effect, Layer, Option, Redacted } from 'effect'
import * as client from 'openid-client'
import { z } from 'zod'
import type { OpenIdConfig } from './openid-config.ts'

/** The provider did not answer, or not as the standard says. The cause is for the log. */
export class ProviderFailed extends Data.TaggedError('ProviderFailed')<{ readonly cause: unknown }> {
  override get message(): string {
    return 'The sign-in service did not answer as it should. Try again, or sign in another way; the log has the reason.'
  }
}

/** The provider, or the rules here, do not let the person in. */
export class SignInRefused extends Data.TaggedError('SignInRefused')<{ readonly message: string }> {}

/** The values of a sign-in that the browser keeps until the provider has sent it back. */
export interface PendingSignIn {
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
}

/** A sign-in with the provider that the operator has configured. */
export class OpenId extends Context.Tag('@netbox-pbs/api/OpenId')<
  OpenId,
  {
    /** The provider's name on the button; null: none is configured, and the other two are not called. */
    readonly name: string | null
    /** The address of the provider that the browser is sent to. */
    readonly begin: (request: {
      readonly redirectUri: string
    }) => Effect.Effect<{ readonly url: string; readonly pending: PendingSignIn }, ProviderFailed>
    /** The person of the address that the provider sent the browser back to. */
    readonly finish: (request: {
      readonly url: string
      readonly pending: PendingSignIn
    }) => Effect.Effect<Omit<IdentifiedUser, 'requestId'>, ProviderFailed | SignInRefused>
  }
>() {}

/** Seconds that the provider may take for an answer. */
const providerTimeout = 10

const noProvider = () => new ProviderFailed({ cause: 'no provider is configured' })

/**
 * The code flow with PKCE, state and nonce of openid-client, which also checks issuer, audience,
 * times and signature of the ID token. The provider's documents are read at the first sign-in, and
 * again after a failure.
 */
export const openIdLayer = (config: OpenIdConfig | null): Layer.Layer<OpenId> => {
  if (config === null) return Layer.succeed(OpenId, { name: null, begin: noProvider, finish: noProvider })
  const provider = discoverOnce(config)
  return Layer.succeed(OpenId, {
    name: config.name,
    begin: Effect.fn('OpenId.begin')(function* ({ redirectUri }) {
      const found = yield* provider
      const pending = {
        state: client.randomState(),
        nonce: client.randomNonce(),
        codeVerifier: client.randomPKCECodeVerifier(),
      }
      const challenge = yield* asked(() => client.calculatePKCECodeChallenge(pending.codeVerifier))
      const url = client.buildAuthorizationUrl(found, {
        redirect_uri: redirectUri,
        scope: config.scope,
        state: pending.state,
        nonce: pending.nonce,
        code_challenge: challenge,
        code_challenge_method: 'S256',
      })
      return { url: url.href, pending }
    }),
    finish: Effect.fn('OpenId.finish')(function* ({ url, pending }) {
      const found = yield* provider
      const tokens = yield* asked(() =>
        client.authorizationCodeGrant(found, new URL(url), {
          pkceCodeVerifier: pending.codeVerifier,
          expectedState: pending.state,
          expectedNonce: pending.nonce,
          idTokenExpected: true,
        }),
      ).pipe(Effect.mapError(refusalOf))
      const claims = tokens.claims()
      if (claims === undefined) return yield* new ProviderFailed({ cause: 'there was no ID token' })
      // A provider may keep the claims of a scope out of the ID token.
      const info =
        found.serverMetadata().userinfo_endpoint === undefined
          ? {}
          : yield* asked(() => client.fetchUserInfo(found, tokens.access_token, claims.sub))
      return yield* personOf(config, { ...info, ...claims, iss: claims.iss, sub: claims.sub })
    }),
  })
}

/** The provider's metadata, which is kept once it was read. */
function discoverOnce(config: OpenIdConfig): Effect.Effect<client.Configuration, ProviderFailed> {
  let found: client.Configuration | null = null
  const { issuer, clientId, clientSecret } = config
  const authentication = Option.match(clientSecret, {
    onNone: () => client.None(),
    onSome: (secret) => client.ClientSecretBasic(Redacted.value(secret)),
  })
  const insecure = issuer.protocol === 'http:' ? [client.allowInsecureRequests] : []
  const discover = asked(() =>
    client.discovery(issuer, clientId, undefined, authentication, { execute: insecure, timeout: providerTimeout }),
  )
  return Effect.suspend(() =>
    found !== null
      ? Effect.succeed(found)
      : Effect.tap(discover, (configuration) =>
          Effect.sync(() => {
            found = configuration
          }),
        ),
  )
}

const asked = <A>(ask: () => Promise<A>): Effect.Effect<A, ProviderFailed> =>
  Effect.tryPromise({ try: ask, catch: (cause) => new ProviderFailed({ cause }) })

/** A refusal that the provider sent the browser back with is no failure of it. */
const refusalOf = (failed: ProviderFailed): ProviderFailed | SignInRefused =>
  failed.cause instanceof client.AuthorizationResponseError
    ? new SignInRefused({ message: `The sign-in service refused: ${failed.cause.error.slice(0, 100)}.` })
    : failed

const text = (max: number) => z.string().trim().max(max)
const oneOrMany = z.union([z.string().transform((one) => [one]), z.array(z.string()).max(10_000)])

/** The person that claims describe, with the role of their groups. */
function personOf(
  { usernameClaim, groupsClaim, groupRoles }: OpenIdConfig,
  claims: Readonly<Record<string, unknown>>,
): Effect.Effect<Omit<IdentifiedUser, 'requestId'>, SignInRefused> {
  const username = text(150).min(1).safeParse(claims[usernameClaim])
  if (!username.success || /\p{Cc}/u.test(username.data)) {
    return new SignInRefused({
      message: `The sign-in service does not tell your user name: it must send the claim ${usernameClaim}.`,
    })
  }
  const groups = oneOrMany.safeParse(claims[groupsClaim] ?? [])
  const role: Role | null = roleOfGroups(groupRoles, groups.success ? groups.data : [])
  if (role === null)
    return new SignInRefused({ message: 'None of your groups has a role here. Ask an administrator for one.' })
  const optional = (claim: string, max: number): string => text(max).catch('').parse(claims[claim])
  return Effect.succeed({
    identity: { issuer: String(claims['iss']), subject: String(claims['sub']) },
    username: username.data,
    first_name: optional('given_name', 150),
    last_name: optional('family_name', 150),
    email: optional('email', 254),
    role,
  })
}
