import { readFileSync } from 'node:fs'
import { isLoopback, readVariable, netBoxUrlName as urlName, WrongUsage } from '@netbox-pbs/app-shell'
import { type GroupRole, parseGroupRoles } from '@netbox-pbs/core'
import { Effect, Option } from 'effect'

/** A NetBox whose API tokens are accepted here. */
export interface NetBoxConfig {
  /** `https`, or `http` on this machine; ends with a slash. */
  readonly url: URL
  /** Certificates of authorities in PEM, in place of those that Node trusts; null: those. */
  readonly ca: string | null
  readonly groupRoles: ReadonlyArray<GroupRole>
}

const rolesName = 'NETBOX_PBS_NETBOX_GROUP_ROLES'
const caName = 'NETBOX_PBS_NETBOX_CA_FILE'

/** The NetBox that the environment names; null: none. */
export const readNetBox: Effect.Effect<NetBoxConfig | null, WrongUsage> = Effect.gen(function* () {
  const text = yield* readVariable(urlName)
  if (Option.isNone(text)) return null
  const url = yield* readUrl(text.value)
  const roles = yield* readVariable(rolesName)
  if (Option.isNone(roles)) {
    const sentence = `${urlName} is set: set ${rolesName} to the roles of NetBox's groups, for example pbs-admins=admin,*=viewer.`
    return yield* new WrongUsage({ message: sentence })
  }
  const groupRoles = parseGroupRoles(roles.value)
  if (typeof groupRoles === 'string') return yield* new WrongUsage({ message: `${rolesName} ${groupRoles}.` })
  return { url, ca: yield* readAuthorities, groupRoles }
})

function readUrl(text: string): Effect.Effect<URL, WrongUsage> {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url !== null && url.username === '' && url.password === '' && url.search === '' && url.hash === '') {
    url.pathname = url.pathname.replace(/\/*$/, '/')
    if (url.protocol === 'https:') return Effect.succeed(url)
    if (url.protocol === 'http:' && isLoopback(url.hostname.replace(/^\[|\]$/g, ''))) return Effect.succeed(url)
  }
  return new WrongUsage({
    message: `${urlName} must be the https address of a NetBox, such as https://netbox.example.com, without a password or a query.`,
  })
}

const readAuthorities: Effect.Effect<string | null, WrongUsage> = Effect.flatMap(
  readVariable(caName),
  Option.match({
    onNone: () => Effect.succeed(null),
    onSome: (file) =>
      Effect.try({
        try: () => {
          const text = readFileSync(file, 'utf8')
          if (!text.includes('-----BEGIN CERTIFICATE-----')) throw new Error('it holds no certificate')
          return text
        },
        catch: () =>
          new WrongUsage({
            message: `${caName}: ${file} cannot be read as certificates in PEM; make it a file that this user may read.`,
          }),
      }),
  }),
)
