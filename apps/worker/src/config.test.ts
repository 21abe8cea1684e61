import { ConfigProvider, Duration, Effect, Redacted } from 'effect'
import { describe, expect, test } from 'vitest'
import { readConfig } from './config.ts'

const key = Buffer.alloc(32, 1).toString('base64')
const good = { DATABASE_URL: 'postgres://u@localhost/db', NETBOX_PBS_SECRET_KEY: key }

const read = (environment: Readonly<Record<string, string>>, args: ReadonlyArray<string> = []) =>
  Effect.runPromise(
    readConfig(args).pipe(
      Effect.match({ onSuccess: (config) => config, onFailure: ({ message }) => message }),
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(environment)))),
    ),
  )

describe('the worker', () => {
  test('needs a database and a key; the settings may name the gateway', async () => {
    expect(await read(good)).toEqual({
      concurrency: 4,
      heartbeatTimeoutSeconds: 60,
      jobTimeLimit: Duration.minutes(720),
      databaseUrl: Redacted.make(good.DATABASE_URL),
      secretKey: Redacted.make(key),
      gateway: null,
      logFormat: 'text',
    })
  })

  test('takes the gateway from the environment', async () => {
    const gateway = { NETBOX_PBS_GATEWAY_URL: 'http://127.0.0.1:8800', NETBOX_PBS_GATEWAY_KEY: 'k'.repeat(32) }
    expect(await read({ ...good, ...gateway }, ['--concurrency', '9', '--heartbeat-timeout', '10'])).toMatchObject({
      concurrency: 9,
      heartbeatTimeoutSeconds: 10,
      gateway: { url: 'http://127.0.0.1:8800', key: Redacted.make('k'.repeat(32)) },
    })
  })

  test.each<[string, Readonly<Record<string, string>>, ReadonlyArray<string>]>([
    ['Set DATABASE_URL', {}, []],
    ['DATABASE_URL is not', { ...good, DATABASE_URL: 'mysql://secret-word@h' }, []],
    ['Set NETBOX_PBS_SECRET_KEY', { DATABASE_URL: good.DATABASE_URL }, []],
    ['NETBOX_PBS_SECRET_KEY_FILE', { DATABASE_URL: good.DATABASE_URL, NETBOX_PBS_SECRET_KEY_FILE: '/nowhere/key' }, []],
    ['NETBOX_PBS_GATEWAY_URL is set without a key', { ...good, NETBOX_PBS_GATEWAY_URL: 'http://h' }, []],
    ['NETBOX_PBS_GATEWAY_URL is not', { ...good, NETBOX_PBS_GATEWAY_URL: 'h:8800' }, []],
    ["option '--concurrency <jobs>' argument '0' is invalid", good, ['--concurrency', '0']],
    ["option '--concurrency <jobs>' argument 'x' is invalid", good, ['--concurrency', 'x']],
    [
      "option '--heartbeat-timeout <seconds>' argument '9' is invalid. It must be a whole number from 10",
      good,
      ['--heartbeat-timeout', '9'],
    ],
    ["unknown option '--fast'", good, ['--fast']],
  ])('says what is wrong: %s', async (start, environment, args) => {
    const message = await read(environment, args)
    expect(message).toMatch(new RegExp(`^${start}`))
    expect(message).not.toContain('secret-word')
  })
})
