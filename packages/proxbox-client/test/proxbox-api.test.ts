import { Effect } from 'effect'
import { describe, expect, test } from 'vitest'
import { json, serve } from './http-server.ts'
import { proxboxApi, storedEndpoint } from './proxbox-api.ts'
import { allOf, framesFrom, run } from './source.ts'

describe('a proxbox-api as it is', () => {
  test('gives its servers: enabled endpoints with what their status says', async () => {
    const frames = await run(
      Effect.gen(function* () {
        const { url } = yield* serve(proxboxApi([storedEndpoint(1), storedEndpoint(2), storedEndpoint(3, false)]))
        return yield* allOf(framesFrom(url, { resource: 'servers' }))
      }),
    )
    const facts = (id: number) => ({
      name: `pbs-${id}`,
      host: `pbs-${id}.example`,
      port: 8007,
      token_id: 'sync@pbs!netbox',
      fingerprint: '',
      verify_ssl: true,
      timeout_seconds: 30,
      timezone: null,
      endpoint_id: id,
    })
    expect(frames).toEqual([
      { _tag: 'scope', scope: { resource: 'servers' } },
      {
        _tag: 'server',
        facts: { ...facts(1), version: '4.2' },
        observed: { status: 'reachable', last_seen_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) },
      },
      {
        _tag: 'server',
        facts: { ...facts(2), version: null },
        observed: {
          status: 'unreachable',
          last_seen_at: null,
          error: { code: 'unreachable', message: 'ConnectError: All connection attempts failed' },
        },
      },
      {
        _tag: 'warning',
        scope: { resource: 'servers' },
        code: 'summaries_only',
        message:
          'this proxbox-api counts datastores, snapshots and jobs but returns none of them, so that only servers are synced: set the address to a netbox-pbs gateway',
      },
      { _tag: 'complete', scope: { resource: 'servers' }, count: 2, visibility: null },
      { _tag: 'end' },
    ])
  })

  test('with more endpoints than a page is read page by page', async () => {
    const [frames, seen] = await run(
      Effect.gen(function* () {
        const { url, seen } = yield* serve(proxboxApi(Array.from({ length: 201 }, (_, id) => storedEndpoint(id + 1))))
        return [yield* allOf(framesFrom(url, { resource: 'servers' })), seen] as const
      }),
    )
    expect(frames.filter((frame) => frame._tag === 'server')).toHaveLength(201)
    expect(seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /pbs/sync/servers',
      'GET /pbs/endpoints?offset=0&limit=100',
      'GET /pbs/endpoints?offset=100&limit=100',
      'GET /pbs/endpoints?offset=200&limit=100',
      'GET /pbs/status',
    ])
  })

  test.each(['datastores', 'snapshots', 'jobs'] as const)('has no %s, and reports that', async (resource) => {
    const failed = await run(
      Effect.gen(function* () {
        const { url } = yield* serve(proxboxApi([storedEndpoint(1)]))
        return yield* Effect.flip(allOf(framesFrom(url, { resource })))
      }),
    )
    expect(failed).toMatchObject({ code: 'summaries_only', retryable: false })
    expect(failed.message).toBe(
      `${resource} cannot be synced from this proxbox-api: it counts them, but no route of it returns them: set the address to a netbox-pbs gateway`,
    )
  })

  test('one that would answer a POST with its summaries has no rows either', async () => {
    const failed = await run(
      Effect.gen(function* () {
        const { url } = yield* serve((seen, response) =>
          seen.method === 'POST' ? json(response, 200, { items: [], raw: null }) : proxboxApi([])(seen, response),
        )
        return yield* Effect.flip(allOf(framesFrom(url, { resource: 'jobs' })))
      }),
    )
    expect(failed.code).toBe('summaries_only')
  })

  test('a web server that is none is not taken for one', async () => {
    const failed = await run(
      Effect.gen(function* () {
        const { url } = yield* serve((_, response) => response.writeHead(404).end('nothing here'))
        return yield* Effect.flip(allOf(framesFrom(url, { resource: 'servers' })))
      }),
    )
    expect(failed).toMatchObject({ code: 'protocol', retryable: false })
    expect(failed.message).toMatch(/^the gateway is not at http.*: \/pbs\/endpoints answered 404; correct its address$/)
  })

  test('reads are tried again when it is busy', async () => {
    let busy = true
    const frames = await run(
      Effect.gen(function* () {
        const { url } = yield* serve((seen, response) => {
          if (busy && seen.method === 'GET') {
            busy = false
            json(response, 503, { detail: 'busy' })
          } else proxboxApi([storedEndpoint(1)])(seen, response)
        })
        return yield* allOf(framesFrom(url, { resource: 'servers' }))
      }),
    )
    expect(frames.at(-1)).toEqual({ _tag: 'end' })
  })
})
