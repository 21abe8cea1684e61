import type { ServerResponse } from 'node:http'
import { type EndpointInput, EndpointNotFound, EndpointRejected, Endpoints } from '@netbox-pbs/core/ports'
import { Effect, Either, Redacted } from 'effect'
import { describe, expect, test } from 'vitest'
import { endpointsLayer } from '../src/index.ts'
import { json, type Seen, serve } from './http-server.ts'
import { proxboxApi, storedEndpoint } from './proxbox-api.ts'
import { addressOf, key, run } from './source.ts'

const secret = 'aaaabbbb-cccc-dddd-eeee-ffff00001111'
const input: EndpointInput = {
  name: 'pbs-3',
  host: 'pbs-3.example',
  port: 8007,
  token_id: 'sync@pbs!netbox',
  token_secret: Redacted.make(secret),
  fingerprint: '',
  verify_ssl: true,
  timeout_seconds: 30,
}
const endpoint = {
  id: 3,
  name: 'pbs-3',
  host: 'pbs-3.example',
  port: 8007,
  token_id: 'sync@pbs!netbox',
  fingerprint: '',
  verify_ssl: true,
  timeout_seconds: 30,
  enabled: true,
}

/** Calls the endpoint routes of a server that answers like this. */
const against = <A, E>(
  handler: (seen: Seen, response: ServerResponse) => void,
  call: (endpoints: typeof Endpoints.Service) => Effect.Effect<A, E>,
) =>
  run(
    Effect.gen(function* () {
      const { url, seen } = yield* serve(handler)
      const result = yield* Effect.flatMap(Endpoints, call).pipe(
        Effect.either,
        Effect.provide(endpointsLayer({ address: addressOf(url) })),
      )
      return { result, seen, requests: seen.map(({ method, path }) => `${method} ${path}`) }
    }),
  )

const answering = (status: number, body: unknown) => (_: Seen, response: ServerResponse) => json(response, status, body)

describe('the endpoint routes', () => {
  test('create sends the secret and reads the endpoint back', async () => {
    const { result, seen, requests } = await against(answering(200, storedEndpoint(3)), (endpoints) =>
      endpoints.create(input),
    )
    expect(result).toEqual(Either.right(endpoint))
    expect(requests).toEqual(['POST /pbs/endpoints'])
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual({
      name: 'pbs-3',
      host: 'pbs-3.example',
      port: 8007,
      token_id: 'sync@pbs!netbox',
      token_secret: secret,
      fingerprint: null,
      verify_ssl: true,
      timeout_seconds: 30,
    })
    expect(seen[0]?.headers).toMatchObject({ 'x-proxbox-api-key': key, authorization: `Bearer ${key}` })
  })

  test('get', async () => {
    const { result, requests } = await against(answering(200, storedEndpoint(3)), (endpoints) =>
      endpoints.get({ id: 3 }),
    )
    expect(result).toEqual(Either.right(endpoint))
    expect(requests).toEqual(['GET /pbs/endpoints/3'])
  })

  test('update sends only what changes', async () => {
    const { result, seen, requests } = await against(answering(200, storedEndpoint(3)), (endpoints) =>
      endpoints.update({ id: 3, change: { fingerprint: '', port: 8443 } }),
    )
    expect(result).toEqual(Either.right(endpoint))
    expect(requests).toEqual(['PUT /pbs/endpoints/3'])
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual({ fingerprint: null, port: 8443 })
  })

  test('remove', async () => {
    const { result, requests } = await against(answering(200, { message: 'PBS endpoint deleted.' }), (endpoints) =>
      endpoints.remove({ id: 3 }),
    )
    expect(result).toEqual(Either.right(undefined))
    expect(requests).toEqual(['DELETE /pbs/endpoints/3'])
  })

  test.each([
    ['a stored endpoint', { id: 3 }, { id: 3 }],
    ['a new one with its secret', input, { ...input, fingerprint: null, token_secret: secret }],
  ])('test of %s', async (_, request, body) => {
    const outcome = {
      reachable: true,
      version: '4.2.1',
      error: null,
      presented_fingerprint: 'aa:bb',
      missing_privileges: ['Datastore.Audit'],
      code: null,
      acl_commands: [],
      token_warning: null,
    }
    const { result, seen, requests } = await against(answering(200, outcome), (endpoints) => endpoints.test(request))
    expect(result).toEqual(Either.right(outcome))
    expect(requests).toEqual(['POST /pbs/endpoints/test'])
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual(body)
  })
})

describe('what the gateway refuses', () => {
  test.each([
    [400, { detail: 'PBS endpoint name already exists' }, { name: ['PBS endpoint name already exists'] }],
    [
      422,
      {
        detail: [
          { type: 'x', loc: ['body', 'token_id'], msg: 'must be like user@realm!tokenname' },
          { type: 'x', loc: ['body', 'enabled'], msg: 'must be 1 to 600' },
          { loc: ['body', 'token_secret'], msg: `cannot be ${secret}`, input: secret },
        ],
      },
      {
        token_id: ['This field must be like user@realm!tokenname.'],
        __all__: ['must be 1 to 600'],
        token_secret: ['cannot be ***'],
      },
    ],
    [
      422,
      { detail: [{ type: 'request_validation_error', loc: ['body'], msg: 'Request validation failed.' }] },
      { __all__: ['Request validation failed.'] },
    ],
    [400, '<html>', { __all__: ['The gateway refused it without a reason.'] }],
  ])('%i %j stands under our field names', async (status, body, errors) => {
    const { result } = await against(answering(status, body), (endpoints) => endpoints.create(input))
    expect(result).toEqual(Either.left(new EndpointRejected({ errors })))
    expect(JSON.stringify(result)).not.toContain(secret)
  })

  test('an endpoint that is gone is not found', async () => {
    const notFound = answering(404, { detail: 'PBS endpoint not found' })
    const calls = await Promise.all([
      against(notFound, (endpoints) => endpoints.get({ id: 3 })),
      against(notFound, (endpoints) => endpoints.update({ id: 3, change: { port: 1 } })),
      against(notFound, (endpoints) => endpoints.remove({ id: 3 })),
      against(notFound, (endpoints) => endpoints.test({ id: 3 })),
    ])
    for (const { result } of calls) {
      expect(result).toEqual(Either.left(new EndpointNotFound({ id: 3 })))
    }
  })

  test('a 404 in other words is a wrong address, not a missing endpoint', async () => {
    const { result } = await against(answering(404, { detail: 'Not Found' }), (endpoints) => endpoints.get({ id: 3 }))
    expect(result).toMatchObject({ _tag: 'Left', left: { _tag: 'GatewayUnavailable' } })
  })

  test.each([
    [
      401,
      { detail: 'API key required. 5 attempts remaining.' },
      /refused our key \("API key required.*NETBOX_PBS_GATEWAY_KEY/,
    ],
    [500, { detail: `boom ${secret}` }, /answered 500 \("boom \*\*\*"\): look into its log/],
    [200, { id: 'three' }, /sent an unexpected answer \(id: .*check that this is the address/],
    [302, {}, /redirects \(302\)/],
  ])('%i is a gateway that is not available', async (status, body, message) => {
    const { result, seen } = await against(answering(status, body), (endpoints) => endpoints.create(input))
    expect(result).toMatchObject({ _tag: 'Left', left: { _tag: 'GatewayUnavailable' } })
    expect(result._tag === 'Left' && result.left.message).toMatch(message)
    expect(JSON.stringify(result)).not.toContain(secret)
    // Only reads are tried again.
    expect(seen).toHaveLength(1)
  })
})

describe('a proxbox-api as it is', () => {
  test.each([
    [1, { reachable: true, version: '4.2', error: null }],
    [2, { reachable: false, version: null, error: 'ConnectError: All connection attempts failed' }],
    [
      3,
      { reachable: false, version: null, error: 'the endpoint pbs-3 is disabled at the proxbox-api: enable it there' },
    ],
  ])('says by its status how endpoint %i does', async (id, outcome) => {
    const stored = [storedEndpoint(1), storedEndpoint(2), storedEndpoint(3, false)]
    const { result } = await against(proxboxApi(stored), (endpoints) => endpoints.test({ id }))
    const unknown = {
      code: null,
      presented_fingerprint: null,
      missing_privileges: [],
      acl_commands: [],
      token_warning: null,
    }
    expect(result).toEqual(Either.right({ ...outcome, ...unknown }))
  })

  test('knows no endpoint of another id', async () => {
    const { result } = await against(proxboxApi([]), (endpoints) => endpoints.test({ id: 9 }))
    expect(result).toEqual(Either.left(new EndpointNotFound({ id: 9 })))
  })

  test('cannot test an endpoint that is not stored', async () => {
    const { result } = await against(proxboxApi([]), (endpoints) => endpoints.test(input))
    expect(result).toMatchObject({ _tag: 'Left', left: { _tag: 'GatewayUnavailable' } })
  })
})
