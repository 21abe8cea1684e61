import { isLoopback, openIdIssuerName as issuerName, readSecret, readVariable, WrongUsage } from '@netbox-pbs/app-shell'
import { type GroupRole, parseGroupRoles } from '@netbox-pbs/core'
import { Effect, Option, type Redacted } from 'effect'

/** A provider of OpenID Connect that users may sign in with. */
export interface OpenIdConfig {
  /** `https`, or `http` on this machine. */
  readonly issuer: URL
  readonly clientId: string
  /** None for a client that the provider calls public. */
  readonly clientSecret: Option.Option<Redacted.Redacted<string>>
  /** On the button: Sign in with … */
  readonly name: string
  /** Words with spaces between them, with `openid`. */
  readonly scope: string
  /** The claim that becomes the username. */
  readonly usernameClaim: string
  /** The claim that lists the groups. */
  readonly groupsClaim: string
  readonly groupRoles: ReadonlyArray<GroupRole>
}

const clientIdName = 'NETBOX_PBS_OIDC_CLIENT_ID'
const rolesName = 'NETBOX_PBS_OIDC_GROUP_ROLES'

/** The provider that the environment names; null: none. */
export const readOpenId: Effect.Effect<OpenIdConfig | null, WrongUsage> = Effect.gen(function* () {
  const text = yield* readVariable(issuerName)
  if (Option.isNone(text)) return null
  const issuer = yield* readIssuer(text.value)
  const clientId = yield* need(clientIdName, 'the id that the provider gave this system')
  const roles = yield* need(rolesName, 'the roles of groups, for example pbs-admins=admin,*=viewer')
  const groupRoles = parseGroupRoles(roles)
  if (typeof groupRoles === 'string') return yield* new WrongUsage({ message: `${rolesName} ${groupRoles}.` })
  const scope = yield* variable('NETBOX_PBS_OIDC_SCOPE', 'openid profile email')
  return {
    issuer,
    clientId,
    clientSecret: yield* readSecret('NETBOX_PBS_OIDC_CLIENT_SECRET'),
    name: yield* variable('NETBOX_PBS_OIDC_NAME', issuer.host),
    scope: scope.split(/\s+/).includes('openid') ? scope : `openid ${scope}`,
    usernameClaim: yield* variable('NETBOX_PBS_OIDC_USERNAME_CLAIM', 'preferred_username'),
    groupsClaim: yield* variable('NETBOX_PBS_OIDC_GROUPS_CLAIM', 'groups'),
    groupRoles,
  }
})

const variable = (name: string, otherwise: string): Effect.Effect<string, WrongUsage> =>
  Effect.map(
    readVariable(name),
    Option.getOrElse(() => otherwise),
  )

const need = (name: string, what: string): Effect.Effect<string, WrongUsage> =>
  Effect.flatMap(
    readVariable(name),
    Option.match({
      onNone: () => new WrongUsage({ message: `${issuerName} is set: set ${name} to ${what}.` }),
      onSome: Effect.succeed,
    }),
  )

function readIssuer(text: string): Effect.Effect<URL, WrongUsage> {
  const issuer = URL.canParse(text) ? new URL(text) : null
  if (issuer !== null && issuer.username === '' && issuer.password === '' && issuer.search === '') {
    if (issuer.protocol === 'https:') return Effect.succeed(issuer)
    if (issuer.protocol === 'http:' && isLoopback(issuer.hostname.replace(/^\[|\]$/g, '')))
      return Effect.succeed(issuer)
  }
  return new WrongUsage({
    message: `${issuerName} must be the https address of a provider of OpenID Connect, as its discovery document names it, without a password or a query.`,
  })
}
