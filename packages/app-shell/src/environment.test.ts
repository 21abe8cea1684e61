import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigProvider, Effect, Option, Redacted } from 'effect'
import { afterAll, describe, expect, test } from 'vitest'
import { checkDatabaseUrl, needSecret, readGatewayAddress, readSecret } from './environment.ts'

const folder = mkdtempSync(join(tmpdir(), 'netbox-pbs-shell-'))
afterAll(() => rmSync(folder, { recursive: true }))

const within = <A, E>(environment: Record<string, string>, read: Effect.Effect<A, E>) =>
  Effect.runSync(
    Effect.either(Effect.withConfigProvider(read, ConfigProvider.fromMap(new Map(Object.entries(environment))))),
  )

describe('a secret', () => {
  const file = join(folder, 'secret')
  writeFileSync(file, 'from a file\n')

  test.each([
    ['its variable', { KEY: 'plain', KEY_FILE: file }, 'plain'],
    ['its file where the variable is empty', { KEY: '', KEY_FILE: file }, 'from a file'],
    ['nothing', {}, null],
  ])('is read from %s', (_, environment, expected) => {
    const read = within(environment, readSecret('KEY'))
    expect(read._tag === 'Right' && Option.getOrNull(Option.map(read.right, Redacted.value))).toBe(expected)
  })

  test('in a file that cannot be read is named by its variable', () => {
    const read = within({ KEY_FILE: join(folder, 'none') }, readSecret('KEY'))
    expect(read).toMatchObject({
      _tag: 'Left',
      left: { message: expect.stringMatching(/^KEY_FILE: .*none cannot be read; /) },
    })
  })

  test('that must be there says how to set it', () => {
    const read = within({}, needSecret('KEY', 'something'))
    expect(read).toMatchObject({ _tag: 'Left', left: { message: 'Set KEY (or KEY_FILE) to something.' } })
  })
})

test('a database address that is none is refused without being repeated', () => {
  const url = Redacted.make('mysql://user:hunter2@db/x')
  const read = within({}, checkDatabaseUrl('DATABASE_URL', url))
  expect(read._tag === 'Left' && read.left.message).toMatch(/^DATABASE_URL is not a PostgreSQL URL; (?!.*hunter2)/)
})

describe('the gateway of a process', () => {
  test.each<[string, Record<string, string>, unknown]>([
    ['is none', {}, { _tag: 'Right', right: null }],
    [
      'has address and key',
      { NETBOX_PBS_GATEWAY_URL: 'http://g:1', NETBOX_PBS_GATEWAY_KEY: 'k' },
      { right: { url: 'http://g:1' } },
    ],
    [
      'lacks its key',
      { NETBOX_PBS_GATEWAY_URL: 'http://g:1' },
      { left: { message: expect.stringContaining('NETBOX_PBS_GATEWAY_KEY') } },
    ],
    [
      'is no URL',
      { NETBOX_PBS_GATEWAY_URL: 'g:1', NETBOX_PBS_GATEWAY_KEY: 'k' },
      { left: { message: expect.stringMatching(/^NETBOX_PBS_GATEWAY_URL is not/) } },
    ],
  ])('%s', (_, environment, expected) => {
    expect(within(environment, readGatewayAddress)).toMatchObject(expected as object)
  })
})
