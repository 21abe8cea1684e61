import { ApiTokens, Users } from '@netbox-pbs/core/ports'
import { Effect, FastCheck as fc, Logger, Redacted } from 'effect'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readToken } from '../../src/accounts/token-text.ts'
import { writeToken } from '../../src/accounts/write-token.ts'
import { openApiDocument } from '../../src/openapi/document.ts'
import { restPaths } from '../../src/routes/rest-paths.ts'
import { fakeGateway } from '../support/fake-gateway.ts'
import { adminToken, checkResponse, startTestApi, type TestApi } from '../support/test-api.ts'
import { arbitraryRequest, type Document, type FuzzedRequest } from './arbitrary-request.ts'

// Random requests for every operation of the OpenAPI document: whatever is sent, the answer is one that the document
// describes, never a 500, and no secret comes back or is logged. NETBOX_PBS_FUZZ=<seed>:<requests> asks for others (`pnpm fuzz`: 200 each).

const [seed = 20_261_130, each = 4] = (process.env['NETBOX_PBS_FUZZ'] ?? '').split(':').filter(Boolean).map(Number)

const document = openApiDocument(restPaths) as Document // border: the document is OpenAPI's
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.keys(methods).map((method) => ({ path, method })),
)

const secrets = { token: 'fuzz-secret-of-a-server-token', gateway: 'fuzz-secret-of-the-gateway-key-0123456789' }
const forbidden = [secrets.token, secrets.gateway, readToken(adminToken)?.secret ?? '', 'secret_hash', 'password_hash']

let api: TestApi
let branch: string
const logged: Array<string> = []

beforeAll(async () => {
  const logger = Logger.make(({ message, cause }) => {
    logged.push(`${String(message)} ${JSON.stringify(cause)}`)
  })
  api = await startTestApi(fakeGateway().layer, { logger })
  const at = (path: string) => `/api/plugins/pbs/${path}/`
  const bodies: ReadonlyArray<readonly [string, unknown]> = [
    ['servers', { name: 'pbs-a', host: '192.0.2.1', token_id: 'a@pbs!b', token_secret: secrets.token }],
    ['servers', { name: 'pbs-b', host: '192.0.2.2', token_id: 'a@pbs!b' }],
    ['datastores', { server: 'pbs-a', name: 'tank', path: '/tank' }],
    ...[1, 2, 3].map(
      (day) =>
        [
          'snapshots',
          {
            server: 'pbs-a',
            datastore_name: 'tank',
            namespace: day === 3 ? 'site-a' : '',
            backup_type: 'vm',
            backup_id: '100',
            backup_time: `2026-05-0${day}T02:00:00Z`,
          },
        ] as const,
    ),
    ['jobs', { server: 'pbs-a', job_type: 'gc', job_id: 'tank' }],
  ]
  for (const [path, body] of bodies) expect((await api.ask('POST', at(path), { body })).status).toBe(201)
  const settings = { proxbox_api_key: secrets.gateway, proxbox_api_url: 'http://127.0.0.1:9' }
  expect((await api.ask('PATCH', at('settings'), { body: settings })).status).toBe(200)
  branch = (await api.ask('POST', at('branches'), { body: { name: 'fuzz' } })).json.schema_id
})
afterAll(() => api.stop())

/** The admin and the token of the test as they were: a request may have taken their rights away. */
const restoreAccess = () =>
  api.run(
    Effect.gen(function* () {
      const users = yield* Users
      const { rows } = yield* users.list({ search: 'admin', limit: 1000, offset: 0 })
      const changes = rows
        .filter(({ username }) => username === 'admin')
        .map(({ id }) => ({ id, change: { is_active: true, role: 'admin', servers: null } as const }))
      yield* users.update({ changes })
      const tokens = yield* ApiTokens
      const found = yield* tokens.find({ key: readToken(adminToken)?.key ?? '' })
      const id = found._tag === 'Some' ? found.value.id : null
      if (id !== null) yield* tokens.remove({ ids: [id] })
      yield* writeToken(Redacted.make(adminToken), { description: '', write_enabled: true, expires: null })
    }),
  )

async function send({ method, path, headers, body, documented }: FuzzedRequest): Promise<string | null> {
  const response = await fetch(`${api.url}${path}`, {
    method,
    redirect: 'manual',
    headers: { Authorization: `Bearer ${adminToken}`, Accept: 'application/json', ...headers },
    // So long that only an answer that never comes takes it.
    signal: AbortSignal.timeout(120_000),
    ...(body === null ? {} : { body }),
  })
  const text = await response.text()
  const { status } = response
  const said = `${text}\n${JSON.stringify([...response.headers])}`
  if (status >= 500 && status !== 502) return `answered ${status}: ${text.slice(0, 300)}`
  const told = forbidden.find((secret) => secret !== '' && said.includes(secret))
  if (told !== undefined) return `told a secret: ${said.slice(0, 300)}`
  const contentType = response.headers.get('content-type')
  // The check reads JSON; the document itself also comes as YAML.
  if (!documented || contentType?.startsWith('application/yaml') || contentType?.startsWith('text/csv')) return null
  try {
    checkResponse({ method, path, status, contentType, text })
  } catch (notDescribed) {
    return String(notDescribed).slice(0, 600)
  }
  return null
}

test.each(operations)('$method $path withstands random requests', async (operation) => {
  const requests = fc.sample(arbitraryRequest(document, { ...operation, branch }), { seed, numRuns: each })
  const found: Array<unknown> = []
  for (const request of requests) {
    const wrong = await send(request)
    if (wrong !== null) found.push({ wrong, request: { ...request, body: request.body?.slice(0, 500) } })
  }
  if (operation.method !== 'get') await restoreAccess()
  expect(found).toEqual([])
})

test('no secret is in the log', () => {
  for (const secret of forbidden.slice(0, 3)) expect(logged.join('\n')).not.toContain(secret)
})

test('no object was polluted, and the system answers', async () => {
  expect(({} as Record<string, unknown>)['admin']).toBeUndefined()
  expect((await api.ask('GET', '/api/plugins/pbs/servers/?limit=1')).status).toBe(200)
})
