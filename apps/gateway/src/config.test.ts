import { ConfigProvider, Effect, Option, Redacted } from 'effect'
import { describe, expect, test } from 'vitest'
import { readConfig } from './config.ts'

const good = {
  DATABASE_URL: 'postgres://localhost/netbox_pbs',
  NETBOX_PBS_GATEWAY_SECRET_KEY: Buffer.alloc(32, 7).toString('base64'),
}

const read = (args: ReadonlyArray<string>, env: Record<string, string>) =>
  Effect.runSync(
    Effect.either(
      readConfig(args).pipe(Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(env))))),
    ),
  )

const messageOf = (args: ReadonlyArray<string>, env: Record<string, string>) => {
  const result = read(args, env)
  return result._tag === 'Left' ? result.left.message : ''
}

describe('flags and environment', () => {
  test('defaults: loopback, port 8800', () => {
    const result = read([], good)
    expect(result).toMatchObject({ _tag: 'Right', right: { host: '127.0.0.1', port: 8800 } })
    expect(result._tag === 'Right' && Option.isNone(result.right.bootstrapKey)).toBe(true)
  })

  test('the own database comes before the common one', () => {
    const result = read(['--host=::1', '--port', '0'], {
      ...good,
      NETBOX_PBS_GATEWAY_DATABASE_URL: 'postgresql://localhost/secrets',
      NETBOX_PBS_GATEWAY_KEY: 'k'.repeat(32),
    })
    expect(result).toMatchObject({ _tag: 'Right', right: { host: '::1', port: 0 } })
    expect(result._tag === 'Right' && Redacted.value(result.right.databaseUrl)).toBe('postgresql://localhost/secrets')
    expect(JSON.stringify(result)).not.toContain('kkk')
  })

  test.each<[string, ReadonlyArray<string>, Record<string, string | undefined>, RegExp]>([
    ['no database', [], { DATABASE_URL: '' }, /^Set DATABASE_URL or NETBOX_PBS_GATEWAY_DATABASE_URL /],
    ['another database', [], { DATABASE_URL: 'mysql://x' }, /^DATABASE_URL is not a PostgreSQL URL/],
    ['no secret key', [], { NETBOX_PBS_GATEWAY_SECRET_KEY: '' }, /^Set NETBOX_PBS_GATEWAY_SECRET_KEY /],
    [
      'a file that is not there',
      [],
      { NETBOX_PBS_GATEWAY_KEY_FILE: '/nowhere/key' },
      /^NETBOX_PBS_GATEWAY_KEY_FILE: \/nowhere\/key cannot be read/,
    ],
    ['a short key', [], { NETBOX_PBS_GATEWAY_KEY: 'short' }, /^NETBOX_PBS_GATEWAY_KEY is too short/],
    [
      'an invalid port',
      ['--port', '70000'],
      {},
      /^option '--port <port>' argument '70000' is invalid. It must be a whole number from 0 to 65535; /,
    ],
    ['an empty host', ['--host', ''], {}, /^option '--host <address>' argument '' is invalid. It must not be empty; /],
    ['an unknown flag', ['--prot', '1'], {}, /^unknown option '--prot' .*"start:gateway --help"/],
    ['a word', ['now'], {}, /^too many arguments.*: now; see "start:gateway --help"$/],
  ])('%s', (_, args, change, expected) => {
    const env = Object.fromEntries(
      Object.entries({ ...good, ...change }).filter((entry): entry is [string, string] => entry[1] !== undefined),
    )
    expect(messageOf(args, env)).toMatch(expected)
  })

  test('no sentence repeats a secret', () => {
    expect(messageOf([], { ...good, NETBOX_PBS_GATEWAY_KEY: 's3cret' })).not.toContain('s3cret')
    expect(messageOf([], { ...good, DATABASE_URL: 'mysql://u:s3cret@h' })).not.toContain('s3cret')
  })
})
