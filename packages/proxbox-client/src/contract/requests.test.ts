import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { EndpointIn, EndpointPatch, EndpointTestIn } from './endpoint.ts'
import { validationErrorBody } from './error-body.ts'
import { SyncRequest } from './sync-request.ts'

const endpoint = {
  name: 'pbs-a',
  host: 'pbs-a.example',
  token_id: 'sync@pbs!netbox',
  token_secret: 'aaaabbbb-cccc-dddd-eeee-ffff00001111',
}

/** The 422 for this body: field, then why. */
const rejected = (schema: z.ZodType, body: unknown) => {
  const read = schema.safeParse(body)
  if (read.success) return []
  const { detail } = validationErrorBody(read.error)
  return typeof detail === 'string' ? [detail] : detail.map(({ loc, msg }) => [loc.join('.'), msg])
}

describe('EndpointIn', () => {
  test("has proxbox-api's defaults", () => {
    expect(EndpointIn.parse(endpoint)).toEqual({
      ...endpoint,
      port: 8007,
      fingerprint: null,
      verify_ssl: true,
      enabled: true,
      timeout_seconds: 30,
    })
  })

  test('takes an empty fingerprint as none, and ignores allow_writes', () => {
    expect(EndpointIn.parse({ ...endpoint, fingerprint: '', allow_writes: false })).toEqual(EndpointIn.parse(endpoint))
  })

  test('trims a secret, which is often pasted with a line break', () => {
    expect(EndpointIn.parse({ ...endpoint, token_secret: ` ${endpoint.token_secret}\n` })).toEqual(
      EndpointIn.parse(endpoint),
    )
    expect(rejected(EndpointIn, { ...endpoint, token_secret: ' \n' })).toContainEqual([
      'body.token_secret',
      'must not be empty',
    ])
  })

  test.each(['pbs', 'pbs-a.example.', '10.0.0.7', '2001:db8::7', '[2001:db8::7]', 'my_pbs'])(
    'takes the host %s',
    (host) => {
      expect(EndpointIn.parse({ ...endpoint, host }).host).toBe(host)
    },
  )

  test.each([['user@pbs-a'], ['pbs a'], ['-pbs'], ['[2001:db8::7'], ['127.1']])('refuses the host %s', (host) => {
    expect(rejected(EndpointIn, { ...endpoint, host })).toEqual([
      ['body.host', 'must be a host name or an address, without scheme, port or path'],
    ])
  })

  test.each([
    [{ port: 0 }, 'port', 'must be 1 to 65535'],
    [{ port: '8007' }, 'port', 'must be a whole number'],
    [{ host: '127.0.0.1:22' }, 'host', expect.stringContaining('host 127.0.0.1, port 22')],
    ...['root@pam', 'a@pbs!b:S', 'a@pbs!b=S', 'a@pbs!b!c', 'PBSAPIToken=a@pbs!b', '"a@pbs!b"', "'a@pbs!b'"].map(
      (token_id): [object, string, string] => [
        { token_id },
        'token_id',
        'must be like user@realm!tokenname, without PBSAPIToken=, quotes and secret',
      ],
    ),
    ...['"abc"', "'abc'", 'a@pbs!b:abc', 'PBSAPIToken=a@pbs!b:abc', 'a@pbs!b=abc'].map(
      (token_secret): [object, string, string] => [
        { token_secret },
        'token_secret',
        'must be the secret alone, like 6f0c1d7e-89ab-4cde-8f01-23456789abcd, without quotes and without the token id',
      ],
    ),
    [{ token_id: 'root@pam!a\u0000' }, 'token_id', 'must not hold control characters'],
    [{ token_id: '\ud800@pam!a' }, 'token_id', 'must not hold half of a surrogate pair'],
    [{ name: 'a\udc00' }, 'name', 'must not hold half of a surrogate pair'],
    [{ token_secret: '\ud800' }, 'token_secret', 'must not hold half of a surrogate pair'],
    [{ token_secret: 'two words' }, 'token_secret', 'must not hold white space'],
    [{ token_secret: 's'.repeat(2001) }, 'token_secret', 'must have at most 2000 characters'],
    [{ fingerprint: 'aa:bb' }, 'fingerprint', 'must be a SHA-256 fingerprint: 64 hex digits, or 32 pairs with colons'],
    [{ verify_ssl: 'yes' }, 'verify_ssl', 'must be true or false'],
    [{ timeout_seconds: 601 }, 'timeout_seconds', 'must be 1 to 600'],
    [{ name: '' }, 'name', 'must not be empty'],
    [{ nmae: 'x' }, 'nmae', 'is not a field of this request'],
  ])('refuses %j', (change, field, message) => {
    expect(rejected(EndpointIn, { ...endpoint, ...change })).toContainEqual([`body.${field}`, message])
  })

  test('names every field that is missing', () => {
    expect(rejected(EndpointIn, {})).toEqual([
      ['body.name', 'is required'],
      ['body.host', 'is required'],
      ['body.token_id', 'is required'],
      ['body.token_secret', 'is required'],
    ])
  })
})

describe('EndpointPatch', () => {
  test('takes any field alone and adds nothing', () => {
    expect(EndpointPatch.parse({ enabled: false })).toEqual({ enabled: false })
    expect(EndpointPatch.parse({ fingerprint: '' })).toEqual({ fingerprint: null })
    expect(EndpointPatch.parse({})).toEqual({})
  })

  test('refuses what a new endpoint may not hold', () => {
    expect(rejected(EndpointPatch, { port: 70_000 })).toEqual([['body.port', 'must be 1 to 65535']])
  })
})

describe('EndpointTestIn', () => {
  test('takes an id, or a whole endpoint', () => {
    expect(EndpointTestIn.parse({ id: 3 })).toEqual({ id: 3 })
    expect(EndpointTestIn.parse(endpoint)).toEqual(EndpointIn.parse(endpoint))
  })

  test('names the field', () => {
    expect(rejected(EndpointTestIn, { id: 0 })).toEqual([['body.id', 'must be at least 1']])
    expect(rejected(EndpointTestIn, { ...endpoint, port: 0 })).toEqual([['body.port', 'must be 1 to 65535']])
    expect(rejected(EndpointTestIn, { ...endpoint, nmae: '' })).toEqual([
      ['body.nmae', 'is not a field of this request'],
    ])
  })
})

describe('SyncRequest', () => {
  test('takes every scope_filter, and none', () => {
    const all = {
      servers: ['a'],
      datastores: ['b'],
      namespaces: [''],
      job_types: ['gc'],
      since: 1,
      run: '7',
      netbox_branch_schema_id: null,
    }
    expect(SyncRequest.parse(all)).toEqual(all)
    expect(SyncRequest.parse({})).toEqual({})
  })

  test('refuses a misspelt key, which would list more than was meant', () => {
    expect(rejected(SyncRequest, { server: ['a'] })).toEqual([['body.server', 'is not a field of this request']])
  })

  test('names the place in a list', () => {
    expect(rejected(SyncRequest, { servers: ['a', 7] })).toEqual([['body.servers.1', 'must be text']])
  })
})

test('a 422 never repeats a secret', () => {
  const body = { ...endpoint, token_secret: 'my secret' }
  expect(JSON.stringify(rejected(EndpointIn, body))).not.toContain('my secret')
})
