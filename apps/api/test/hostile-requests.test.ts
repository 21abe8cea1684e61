import type { ReceivedResponse } from '@netbox-pbs/testing'
import { Logger } from 'effect'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeApp } from '../src/http/app.ts'
import { openApiDocument } from '../src/openapi/document.ts'
import { restPaths } from '../src/routes/rest-paths.ts'
import { fakeGateway } from './support/fake-gateway.ts'
import { type RawRequest, rawRequest } from './support/raw-request.ts'
import { adminToken, checkResponse, engines, startTestApi, type TestApi } from './support/test-api.ts'

/** Every route of the app, pages included: its method and its path with names for what varies. */
const routes = (() => {
  const app = makeApp(() => Promise.resolve(new Response()), { allowedHosts: [] })
  const all = app.routes.filter(({ path }) => !path.includes('*'))
  const seen = new Map(all.map(({ method, path }) => [`${method} ${path}`, { method, path }]))
  return [...seen.values()]
})()
const paths = [...new Set(routes.map(({ path }) => path))]

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
const beyond = ['0', '9007199254740993', '9223372036854775808', '9'.repeat(400)]
const oddIds = [...beyond, '-1', '%00', '%ed%a0%80', 'constructor', '%']

const fill = (path: string, id: string): string => path.replace(/:\w+(?:\{[^/]*\})?/g, () => id)

/** The operations of the document, with the names that each reads from its query and from its body. */
const operations = (() => {
  const document = openApiDocument(restPaths) as Document
  return Object.entries(document.paths).flatMap(([path, methodsOf]) =>
    Object.entries(methodsOf).map(([method, { parameters = [], requestBody }]) => ({
      method: method.toUpperCase(),
      path: path.replace(/\{\w+\}/g, '1'),
      query: parameters.filter(({ in: place }) => place === 'query').map(({ name }) => name),
      fields: requestBody === undefined ? [] : fieldsOf(document, requestBody.content['application/json'].schema),
    })),
  )
})()

interface Schema {
  readonly $ref?: string
  readonly oneOf?: ReadonlyArray<Schema>
  readonly properties?: Readonly<Record<string, unknown>>
}
interface Document {
  readonly paths: Record<
    string,
    Record<
      string,
      {
        readonly parameters?: ReadonlyArray<{ readonly name: string; readonly in: string }>
        readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: Schema } } }
      }
    >
  >
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

function fieldsOf(document: Document, { $ref, oneOf = [], properties = {} }: Schema): ReadonlyArray<string> {
  const named = $ref === undefined ? undefined : document.components.schemas[$ref.split('/').at(-1) ?? '']
  return [
    ...Object.keys(properties),
    ...(named === undefined ? [] : fieldsOf(document, named)),
    ...oneOf.flatMap((schema) => fieldsOf(document, schema)),
  ]
}

/** JSON of so many lists inside one another. */
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)

const json = { 'Content-Type': 'application/json' }
const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
const token = { Authorization: `Bearer ${adminToken}` }

test('the routes are those of the app', () => {
  for (const path of ['/api/plugins/pbs/servers/', '/api/users/tokens/:id/', '/plugins/pbs/login/', '/healthz'])
    expect(paths).toContain(path)
  expect(paths.length).toBeGreaterThan(60)
})

/** Whether the OpenAPI document describes an address: all of REST but the pages about the document. */
const isRest = (target: string): boolean => target.startsWith('/api/') && !/^\/api\/schema\/./.test(target)

/**
 * Everything everywhere, on both engines, with NETBOX_PBS_MATRIX=all (`pnpm matrix`). Else on PostgreSQL: every value is sent
 * somewhere and every place is sent something, in turn.
 */
const whole = process.env['NETBOX_PBS_MATRIX'] === 'all'

/** Deals values to places, one after the other; with NETBOX_PBS_MATRIX=all each place gets all. */
const dealer = <A>(values: ReadonlyArray<A>, share: number): (() => ReadonlyArray<A>) => {
  let dealt = 0
  return () => {
    if (whole) return values
    const from = dealt % values.length
    dealt += share
    return [...values.slice(from), ...values.slice(0, from)].slice(0, share)
  }
}
const chosen = engines.filter(({ engine }) => engine === 'PostgreSQL' || whole)

describe.each(chosen)('a hostile request, on $engine', ({ database }) => {
  let api: TestApi
  let session: Readonly<Record<string, string>>
  let formToken: string
  const log: Array<string> = []

  beforeAll(async () => {
    const logger = Logger.map(Logger.logfmtLogger, (line) => void log.push(line))
    api = await startTestApi(fakeGateway().layer, { logger, database })
    const root = '/api/plugins/pbs'
    const bodies: ReadonlyArray<readonly [string, object]> = [
      ['servers', { name: 'pbs-a', host: '192.0.2.1', token_id: 'a@pbs!b' }],
      ['datastores', { server: 1, name: 'tank', path: '/tank' }],
      [
        'snapshots',
        { server: 1, datastore_name: 'tank', backup_type: 'vm', backup_id: '1', backup_time: '2026-05-01' },
      ],
      ['jobs', { server: 1, job_type: 'gc', job_id: 'tank' }],
      ['branches', { name: 'review' }],
      ['sync-runs', {}],
    ]
    for (const [path, body] of bodies) expect((await api.ask('POST', `${root}/${path}/`, { body })).status).toBe(201)
    const signedIn = await fetch(`${api.url}/plugins/pbs/login/`, {
      method: 'POST',
      redirect: 'manual',
      headers: { Origin: api.url },
      body: new URLSearchParams({ token: adminToken }),
    })
    session = { Cookie: signedIn.headers.getSetCookie()[0]?.split(';')[0] ?? '', Origin: api.url }
    const home = await fetch(`${api.url}/plugins/pbs/`, { headers: session })
    formToken = /name="form_token" value="([^"]+)"/.exec(await home.text())?.[1] ?? ''
    expect(formToken).not.toBe('')
  })
  afterAll(() => api?.stop())

  /**
   * Sends requests, some at a time, and returns those answered with a fault of ours, not at all or
   * unlike the OpenAPI document, and log output beyond a short line for each.
   */
  const harmOf = async (requests: ReadonlyArray<RawRequest>): Promise<ReadonlyArray<string>> => {
    const harm: Array<string> = []
    log.length = 0
    const waiting = [...requests]
    const checkDescription = ({ target: path, ...response }: RawRequest & Omit<ReceivedResponse, 'path'>) => {
      try {
        checkResponse({ path, ...response })
      } catch (error) {
        harm.push(error instanceof Error ? error.message : String(error))
      }
    }
    const next = async (): Promise<void> => {
      for (let request = waiting.pop(); request !== undefined; request = waiting.pop()) {
        const { status, contentType, text } = await rawRequest(api.url, request)
        if (status === 0 || status >= 500) harm.push(`${describeRequest(request)}: ${status} ${text.slice(0, 200)}`)
        else if (isRest(request.target)) checkDescription({ ...request, status, contentType, text })
      }
    }
    await Promise.all(Array.from({ length: 8 }, next))
    if (log.length > requests.length) harm.push(`${log.length} lines of log for ${requests.length} requests`)
    return [...harm, ...log.filter((line) => line.length > 300).map((line) => line.slice(0, 400))]
  }
  const describeRequest = ({ method, target, body = '' }: RawRequest) =>
    `${method} ${target.slice(0, 120)} ${String(body).slice(0, 80)}`
  const none: ReadonlyArray<string> = []

  test('no method without body and length harms a path, with a token, a session or neither', async () => {
    const targets = paths.map((path) => fill(path, '9007199254740993'))
    for (const headers of [{}, token, session])
      expect(await harmOf(targets.flatMap((target) => methods.map((method) => ({ method, target, headers }))))).toEqual(
        none,
      )
  })

  test('no id in a path does', async () => {
    const idsFor = dealer(oddIds, 4)
    const sent = paths
      .filter((path) => path.includes(':'))
      .flatMap((path, nth) => {
        // One method that the path does not have represents the others, except with NETBOX_PBS_MATRIX=all.
        const own = methods.filter((method) => routes.some((route) => route.path === path && route.method === method))
        const others = methods.filter((method) => !own.includes(method))
        const sentTo = whole ? methods : [...own, ...others.slice(nth % others.length).slice(0, 1)]
        return sentTo.flatMap((method) => idsFor().map((id) => ({ method, target: fill(path, id) })))
      })
      .map(({ method, target }) =>
        isRest(target)
          ? { method, target, headers: { ...token, ...json }, body: '{}' }
          : { method, target, headers: { ...session, ...form }, body: `form_token=${formToken}` },
      )
    expect(await harmOf(sent)).toEqual(none)
  })

  test('no parameter of a query does', async () => {
    const values = ['%00', '9'.repeat(400)]
    const queries = [
      '%00=%00&%ff=%ff&=&&&=%',
      '__proto__=1&constructor=2&__proto__[a]=3',
      'limit=1e9&offset=-1&start=1e9&q=%ff',
    ]
    const valuesFor = dealer(values, 1)
    const documented = operations.flatMap(({ method, path, query }) =>
      method === 'GET' ? query.flatMap((name) => valuesFor().map((value) => `${path}?${name}=${value}`)) : [],
    )
    const readable = routes.filter(({ method }) => method === 'GET').map(({ path }) => fill(path, '1'))
    const onPages = readable.filter((path) => path.startsWith('/plugins/'))
    const targets = [
      ...documented,
      ...readable.flatMap((path) => queries.map((query) => `${path}?${query}`)),
      ...onPages.flatMap((path) =>
        ['q', 'status', 'id', 'server', 'server_id', 'scope', 'field', 'next', '_branch', 'limit'].flatMap((name) =>
          valuesFor().map((value) => `${path}?${name}=${value}`),
        ),
      ),
    ]
    expect(
      await harmOf(targets.map((target) => ({ method: 'GET', target, headers: { ...token, ...session } }))),
    ).toEqual(none)
  })

  test('no body of JSON does', async () => {
    const bodies = [
      ...['null', '[]', '"x"', '[null]', '[{"id":9223372036854775808}]', '[{"id":"\\u0000"}]', '{', '{"a":1e999}'],
      ...['{"__proto__":{"a":1},"constructor":{"b":2}}', '{"\\u0000":1,"\\ud800":1}', nested(100), nested(100_000)],
    ]
    const values = ['"a\\u0000b"', '"\\ud800"', '9223372036854775808', '{"name":"\\u0000"}', nested(99), nested(20_000)]
    const [bodiesFor, valuesFor] = [dealer(bodies, 5), dealer(values, 2)]
    const sent = operations.flatMap(({ method, path, fields }) =>
      method === 'GET' || (method === 'DELETE' && path.endsWith('/1/'))
        ? []
        : [...bodiesFor(), ...fields.flatMap((field) => valuesFor().map((value) => `{"${field}":${value}}`))].map(
            (body) => ({
              method,
              target: path,
              headers: { ...token, ...json },
              body,
            }),
          ),
    )
    expect(sent.filter(({ body }) => body.startsWith('{"value":')).length).toBe(whole ? values.length : 2)
    for (const value of [...bodies, ...values]) expect(sent.some(({ body }) => body.includes(value))).toBe(true)
    expect(await harmOf(sent)).toEqual(none)
  })

  test('no text that is wrong in a whole body does', async () => {
    const bodies = {
      servers: { name: 'n', host: 'h.example', token_id: 'a@pbs!b', fingerprint: '', sync_schedule: '' },
      datastores: { server: 'pbs-a', name: 'n', path: '/p', comment: '' },
      snapshots: { server: 'pbs-a', datastore_name: 't', backup_type: 'vm', backup_id: '9', backup_time: '2026-05-02' },
      jobs: { server: 'pbs-a', job_type: 'gc', job_id: 'j', store: 's' },
      branches: { name: 'n', description: '' },
      'branches/1/resolve': { resolution: 'value', value: '', field: 'path', scope: '' },
    }
    const wrong = ['a\0b', '\ud800', 2 ** 63, ['\0'], { '\ud800': '\0' }]
    const sent = Object.entries(bodies).flatMap(([path, body]) =>
      Object.keys(body).flatMap((field) =>
        wrong.map((value) => ({
          method: 'POST',
          target: `/api/plugins/pbs/${path}/`,
          headers: { ...token, ...json },
          body: JSON.stringify({ ...body, [field]: value }),
        })),
      ),
    )
    expect(await harmOf(sent)).toEqual(none)
  })

  test('no form does, with a length or in chunks', async () => {
    const names = ['token', 'name', 'host', 'server', 'revision', 'resolution', 'value', 'id', 'field']
    const fields = [...names.flatMap((name) => [`${name}=%00`, `${name}=${'9'.repeat(400)}`]), 'value=%ed%a0%80&name={']
    const bodies = ['%', '%00=%00', '__proto__=1&constructor=2', ...fields]
    const posted = routes.filter(({ method, path }) => method === 'POST' && path.startsWith('/plugins/'))
    const targets = posted.map(({ path }) => fill(path, '1')).filter((path) => !path.endsWith('/logout/'))
    expect(targets.length).toBeGreaterThan(10)
    const bodiesFor = dealer(bodies, 7)
    const sent = targets.flatMap((target) =>
      bodiesFor().map((body, at) => ({
        method: 'POST',
        target,
        // A sign-in would end the session that the other forms come from.
        headers: { ...session, ...form, ...(target.endsWith('/login/') ? { Cookie: '' } : {}) },
        body: target.endsWith('/login/') ? body : `form_token=${formToken}&all=true&${body}`,
        chunked: at % 2 === 0,
      })),
    )
    expect(await harmOf(sent)).toEqual(none)
    const home = await fetch(`${api.url}/plugins/pbs/`, { redirect: 'manual', headers: session })
    // Each page writes the token as another text.
    expect([home.status, (await home.text()).includes('name="form_token"')]).toEqual([200, true])
  })

  test('the site serves as before', async () => {
    expect((await api.ask('GET', '/api/plugins/pbs/servers/')).status).toBe(200)
    expect((await fetch(`${api.url}/plugins/pbs/login/`)).status).toBe(200)
  })
})
