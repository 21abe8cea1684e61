import { ConfigProvider, Effect, Option, Redacted } from 'effect'
import { describe, expect, test } from 'vitest'
import { readOpenId } from './openid-config.ts'

const read = (environment: Readonly<Record<string, string>>) =>
  Effect.runSync(
    Effect.either(
      Effect.withConfigProvider(
        readOpenId,
        ConfigProvider.fromMap(
          new Map(Object.entries(environment).map(([name, value]) => [`NETBOX_PBS_OIDC_${name}`, value])),
        ),
      ),
    ),
  )

const least = { ISSUER: 'https://id.example.com/realms/ops', CLIENT_ID: 'netbox-pbs', GROUP_ROLES: 'pbs-admins=admin' }

describe('the provider of the environment', () => {
  test('is none without an issuer', () => {
    expect(read({ CLIENT_ID: 'netbox-pbs' })).toMatchObject({ right: null })
  })

  test('needs three variables; the others have defaults', () => {
    expect(read(least)).toMatchObject({
      right: {
        clientId: 'netbox-pbs',
        clientSecret: Option.none(),
        name: 'id.example.com',
        scope: 'openid profile email',
        usernameClaim: 'preferred_username',
        groupsClaim: 'groups',
        groupRoles: [{ group: 'pbs-admins', role: 'admin' }],
      },
    })
  })

  test('always asks for openid, and hides the secret', () => {
    const config = read({ ...least, SCOPE: 'groups', CLIENT_SECRET: 'of-the-client' })
    expect(config).toMatchObject({ right: { scope: 'openid groups', clientSecret: Option.some(expect.anything()) } })
    expect(JSON.stringify(config)).not.toContain('of-the-client')
    const secret = config._tag === 'Right' ? config.right?.clientSecret : undefined
    expect(secret !== undefined && Option.isSome(secret) && Redacted.value(secret.value)).toBe('of-the-client')
  })

  test.each([
    [{ ISSUER: 'id.example.com' }, /^NETBOX_PBS_OIDC_ISSUER must be the https address/],
    [{ ISSUER: 'http://id.example.com' }, /^NETBOX_PBS_OIDC_ISSUER must be the https address/],
    [{ ISSUER: 'https://ada:secret@id.example.com' }, /^(?!.*secret)NETBOX_PBS_OIDC_ISSUER must be the https address/],
    [{ CLIENT_ID: '' }, /^NETBOX_PBS_OIDC_ISSUER is set: set NETBOX_PBS_OIDC_CLIENT_ID to /],
    [{ GROUP_ROLES: '' }, /^NETBOX_PBS_OIDC_ISSUER is set: set NETBOX_PBS_OIDC_GROUP_ROLES to /],
    [{ GROUP_ROLES: 'a=root' }, /^NETBOX_PBS_OIDC_GROUP_ROLES gives a the role root: it must be one of /],
  ])('%j is refused with its name', (wrong, message) => {
    expect(read({ ...least, ...wrong })).toMatchObject({ left: { message: expect.stringMatching(message) } })
  })

  test.each(['http://127.0.0.1:4000', 'http://[::1]:4000', 'http://localhost:4000'])(
    '%s is of this machine',
    (ISSUER) => {
      expect(read({ ...least, ISSUER })).toMatchObject({ right: { issuer: new URL(ISSUER) } })
    },
  )
})
