import { afterAll, beforeAll, expect, test } from 'vitest'
import { restPaths } from '../src/routes/rest-paths.ts'
import { fakeGateway } from './support/fake-gateway.ts'
import { type Answer, startTestApi, type TestApi } from './support/test-api.ts'

const root = '/api/plugins/pbs/'
const branches = `${root}branches/`
let api: TestApi
let open: Answer
let closed: Answer
let server: Answer

beforeAll(async () => {
  api = await startTestApi(fakeGateway().layer)
  open = await api.ask('POST', branches, { body: { name: 'open' } })
  closed = await api.ask('POST', branches, { body: { name: 'closed' } })
  await api.ask('POST', `${branches}${closed.json.id}/close/`)
  server = await api.ask('POST', `${root}servers/`, { body: { name: 'pbs-a', host: 'a.example', token_id: 'a@pbs!b' } })
})
afterAll(() => api.stop())

const inBranch = ({ json }: Answer) => ({ 'X-NetBox-Branch': String(json.schema_id) })

test.each(['servers/', 'tasks/', 'settings/', 'snapshots/1/'])(
  'a branch that is not there is no reason to answer main’s %s',
  async (path) => {
    const detail = expect.stringMatching(/^Invalid branch identifier: .* leave X-NetBox-Branch and _branch out/)
    for (const requested of [
      await api.ask('GET', `${root}${path}?_branch=zzzzzzzz`),
      await api.ask('GET', `${root}${path}`, { headers: { 'X-NetBox-Branch': 'zzzzzzzz' } }),
      await api.ask('OPTIONS', `${root}${path}`, { headers: { 'X-NetBox-Branch': "'; --" } }),
    ])
      expect([requested.status, requested.json]).toEqual([400, { detail }])
  },
)

test.each([
  ['X-NetBox-Branch is empty: ', '', { 'X-NetBox-Branch': '' }],
  ['X-NetBox-Branch is empty: ', '', { 'X-NetBox-Branch': ' ' }],
  ['_branch is empty: ', '?_branch=', {}],
  ['_branch is empty: ', '?_branch=zzzzzzzz&_branch=', {}],
])('a branch that is named by nothing is not main: %s%j', async (detail, query, headers) => {
  for (const method of ['GET', 'OPTIONS', 'PATCH', 'DELETE']) {
    const { status, json } = await api.ask(method, `${root}servers/${server.json.id}/${query}`, { headers })
    expect([method, status, json]).toEqual([
      method,
      400,
      { detail: `${detail}name a branch by its schema_id, or leave it out to work on main.` },
    ])
  }
  expect((await api.ask('GET', `${root}servers/${server.json.id}/`)).json.name).toBe('pbs-a')
})

test('one that has ended says how', async () => {
  const { status, json } = await api.ask('GET', `${root}servers/`, { headers: inBranch(closed) })
  expect([status, json.detail]).toEqual([
    400,
    'Branch closed is closed: only an open branch can be read and written; leave X-NetBox-Branch and _branch out to work on main.',
  ])
})

test('header and parameter may say the same, and not different things', async () => {
  const settings = (query: string, headers = {}) => api.ask('GET', `${root}settings/${query}`, { headers })
  expect((await settings(`?_branch=${open.json.schema_id}`, inBranch(open))).status).toBe(200)
  expect(await settings(`?_branch=${closed.json.schema_id}`, inBranch(open))).toMatchObject({
    status: 400,
    json: { detail: 'X-NetBox-Branch and _branch name different branches: send one of them.' },
  })
  // As in NetBox the last of several counts, and an empty one is main.
})

test('a request without a token does not learn which branches there are', async () => {
  for (const headers of [inBranch(open), { 'X-NetBox-Branch': 'zzzzzzzz' }])
    expect((await api.ask('GET', `${root}servers/`, { headers, token: null })).status).toBe(403)
})

test('what is not branched is read from main', async () => {
  for (const path of ['tasks/', 'settings/', 'sync-runs/', 'changes/'])
    expect((await api.ask('GET', `${root}${path}`, { headers: inBranch(open) })).status).toBe(200)
})

const writing = ['post', 'put', 'patch', 'delete']
// An open path knows no user, who alone may learn which branches there are.
const writes = restPaths
  .filter(({ branch = 'main', open: toEverybody = false }) => branch === 'main' && !toEverybody)
  .flatMap(({ routes }) => routes.map(({ config }) => [config.method.toUpperCase(), config.path] as const))
  .filter(([method]) => writing.includes(method.toLowerCase()))

test.each(writes)('%s %s is refused with a branch', async (method, path) => {
  const one = path.replace('{id}', String(server.json.id)).replaceAll(/\{\w+\}/g, '1')
  const { status, json } = await api.ask(method, one, { headers: inBranch(open), body: { token_secret: 'x' } })
  expect([status, json.detail]).toEqual([
    400,
    `${one} is not branched: it can only be changed in main, not in branch open. Leave X-NetBox-Branch and _branch out to do that.`,
  ])
})

test('these paths, and no others, are in a branch or the same whatever is named', () => {
  const at = (place: string) =>
    restPaths.filter(({ branch }) => branch === place).map(({ routes }) => routes[0]?.config.path.replace(root, ''))
  expect(writes.length).toBeGreaterThan(5)
  expect(at('branch')).toEqual([
    'servers/{id}/costs/',
    ...['servers', 'datastores', 'namespaces', 'groups', 'snapshots', 'jobs'].flatMap((path) => [
      `${path}/`,
      `${path}/{id}/`,
    ]),
    'datastores/{id}/usage/',
  ])
  expect(at('any').filter((path) => !path?.startsWith('branches/'))).toEqual([
    '/api/',
    '/api/extras/',
    '/api/users/',
    '/api/plugins/',
    '/api/status/',
    '/api/plugins/installed-plugins/',
    '/api/authentication-check/',
    '',
  ])
})

test('what is about the system, or about branches, does not ask for the branch', async () => {
  const headers = { 'X-NetBox-Branch': 'zzzzzzzz' }
  for (const path of ['/api/status/', branches, `${branches}${open.json.id}/`, `${branches}${open.json.id}/changes/`])
    expect((await api.ask('GET', path, { headers })).status).toBe(200)
  const body = { description: 'from within' }
  expect((await api.ask('PATCH', `${branches}${open.json.id}/`, { headers: inBranch(open), body })).json).toMatchObject(
    body,
  )
})
