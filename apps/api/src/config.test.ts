import { ConfigProvider, Effect, Option, Redacted } from 'effect'
import { describe, expect, test } from 'vitest'
import { readConfig } from './config.ts'

const url = 'postgres://netbox@127.0.0.1:5432/netbox_pbs'
const environment = { DATABASE_URL: url, NETBOX_PBS_SECRET_KEY: 'key' }

const read = (args: ReadonlyArray<string>, variables: Readonly<Record<string, string>> = environment) =>
  Effect.runSync(
    Effect.either(
      readConfig(args).pipe(Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables))))),
    ),
  )

test('what is not said is loopback, port 8000 and no other hosts', () => {
  const config = read([])
  expect(config).toMatchObject({
    right: { host: '127.0.0.1', port: 8000, allowedHosts: [], gateway: null, bootstrapToken: Option.none() },
  })
  expect(config._tag === 'Right' && Redacted.value(config.right.databaseUrl)).toBe(url)
})

test('flags and variables are taken', () => {
  const args = ['--host', '0.0.0.0', '--port', '0', '--allowed-host', 'nb.lan', '--allowed-host', '.example.com']
  const config = read(args, { ...environment, NETBOX_PBS_GATEWAY_URL: 'http://gw:8800', NETBOX_PBS_GATEWAY_KEY: 'k' })
  expect(config).toMatchObject({
    right: { host: '0.0.0.0', port: 0, allowedHosts: ['nb.lan', '.example.com'], gateway: { url: 'http://gw:8800' } },
  })
})

describe('a mistake is one sentence that names it', () => {
  test.each<[ReadonlyArray<string>, Readonly<Record<string, string>>, string]>([
    [['--nope'], environment, '--nope'],
    [['extra'], environment, 'extra'],
    [['--port', '70000'], environment, "option '--port <port>' argument '70000' is invalid. It must be a whole number"],
    [['--host', ' '], environment, "option '--host <address>' argument ' ' is invalid. It must not be empty"],
    [
      ['--allowed-host', 'https://x/'],
      environment,
      "argument 'https://x/' is invalid. It must be a name without scheme",
    ],
    [[], {}, 'Set DATABASE_URL'],
    [[], { ...environment, DATABASE_URL: 'mysql://x' }, 'DATABASE_URL is not a PostgreSQL URL'],
    [[], { DATABASE_URL: url }, 'Set NETBOX_PBS_SECRET_KEY (or NETBOX_PBS_SECRET_KEY_FILE)'],
    [[], { DATABASE_URL: url, NETBOX_PBS_SECRET_KEY_FILE: '/nonexistent/key' }, 'NETBOX_PBS_SECRET_KEY_FILE'],
  ])('%j %j', (args, variables, text) => {
    const result = read(args, variables)
    expect(result).toMatchObject({ left: { _tag: 'WrongUsage', message: expect.stringContaining(text) } })
    expect(result._tag === 'Left' && result.left.message).not.toContain('\n')
  })
})
