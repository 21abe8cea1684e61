import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigProvider, Effect } from 'effect'
import { afterAll, describe, expect, test } from 'vitest'
import { readNetBox } from './netbox-config.ts'

const folder = mkdtempSync(join(tmpdir(), 'netbox-pbs-netbox-'))
afterAll(() => rmSync(folder, { recursive: true }))

const read = (environment: Readonly<Record<string, string>>) =>
  Effect.runSync(
    Effect.either(
      Effect.withConfigProvider(
        readNetBox,
        ConfigProvider.fromMap(
          new Map(Object.entries(environment).map(([name, value]) => [`NETBOX_PBS_NETBOX_${name}`, value])),
        ),
      ),
    ),
  )

const least = { URL: 'https://netbox.example.com/base', GROUP_ROLES: 'pbs-admins=admin' }

describe('the NetBox of the environment', () => {
  test('is none without an address', () => {
    expect(read({ GROUP_ROLES: 'pbs-admins=admin' })).toMatchObject({ right: null })
  })

  test.each([
    'https://netbox.example.com/base',
    'https://netbox.example.com/base/',
    'https://NETBOX.example.com:443/base//',
  ])('is the same at %s', (URL) => {
    expect(read({ ...least, URL })).toMatchObject({
      right: { url: { href: 'https://netbox.example.com/base/' }, ca: null, groupRoles: [{ group: 'pbs-admins' }] },
    })
  })

  test('may have a certificate of its own', () => {
    const file = join(folder, 'ca.pem')
    const pem = '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n'
    writeFileSync(file, pem)
    expect(read({ ...least, CA_FILE: file })).toMatchObject({ right: { ca: pem } })
  })

  const noCertificate = join(folder, 'key.pem')
  writeFileSync(noCertificate, '-----BEGIN PRIVATE KEY-----\n')

  test.each([
    [{ URL: 'netbox.example.com' }, /^NETBOX_PBS_NETBOX_URL must be the https address/],
    [{ URL: 'http://netbox.example.com' }, /^NETBOX_PBS_NETBOX_URL must be the https address/],
    [{ URL: 'https://ada:secret@netbox.example.com' }, /^(?!.*secret)NETBOX_PBS_NETBOX_URL must be the https address/],
    [{ URL: 'https://netbox.example.com/?a=b' }, /^NETBOX_PBS_NETBOX_URL must be the https address/],
    [{ GROUP_ROLES: '' }, /^NETBOX_PBS_NETBOX_URL is set: set NETBOX_PBS_NETBOX_GROUP_ROLES to /],
    [{ GROUP_ROLES: 'a=root' }, /^NETBOX_PBS_NETBOX_GROUP_ROLES gives a the role root: it must be one of /],
    [{ CA_FILE: join(folder, 'none') }, /^NETBOX_PBS_NETBOX_CA_FILE: .*none cannot be read as certificates/],
    [{ CA_FILE: noCertificate }, /^NETBOX_PBS_NETBOX_CA_FILE: .*key.pem cannot be read as certificates/],
  ])('%j is refused with its name', (wrong, message) => {
    expect(read({ ...least, ...wrong })).toMatchObject({ left: { message: expect.stringMatching(message) } })
  })

  test.each(['http://127.0.0.1:8001', 'http://[::1]:8001', 'http://localhost'])('%s is of this machine', (URL) => {
    expect(read({ ...least, URL })).toMatchObject({ right: { url: { href: `${URL}/` } } })
  })
})
