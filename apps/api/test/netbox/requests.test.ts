/** What NetBox answers about addresses, methods and headers: section 5 of the fact sheet that this project follows. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fakeGateway } from '../support/fake-gateway.ts'
import { adminToken, startTestApi, type TestApi } from '../support/test-api.ts'

const root = '/api/plugins/pbs/'
const server = { name: 'pbs-a', host: '192.0.2.1', token_id: 'a@pbs!b' }
let api: TestApi

beforeAll(async () => {
  api = await startTestApi(fakeGateway().layer, { allowedHosts: ['nb.example.com'] })
  await api.ask('POST', `${root}servers/`, { body: server })
})
afterAll(() => api.stop())

describe('5: every answer', () => {
  test.each([
    ['GET', `${root}servers/`, 200],
    ['GET', `${root}servers/999/`, 404],
    ['POST', `${root}servers/`, 400],
    ['DELETE', `${root}`, 405],
  ])('of %s %s has version, request id and methods', async (method, path, status) => {
    const answer = await api.ask(method, path, method === 'POST' ? { body: {} } : {})
    expect(answer.status).toBe(status)
    expect(answer.headers.get('api-version')).toBe('4.7')
    expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    expect(answer.headers.get('content-type')).toBe('application/json')
    expect(answer.headers.get('allow')).toContain('GET, HEAD, OPTIONS')
    expect(answer.headers.get('vary')).toContain('Accept')
  })

  test.each([
    ['', 'GET, HEAD, OPTIONS'],
    ['servers/', 'DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT'],
    ['servers/1/', 'DELETE, GET, HEAD, OPTIONS, PATCH, PUT'],
    ['tasks/', 'GET, HEAD, OPTIONS'],
  ])('below %j allows %s, also without a token', async (path, allow) => {
    expect((await api.ask('GET', `${root}${path}`)).headers.get('allow')).toBe(allow)
    const refused = await api.ask('GET', `${root}${path}`, { token: null })
    expect([refused.status, refused.headers.get('allow'), refused.headers.get('www-authenticate')]).toEqual([
      403,
      allow,
      null,
    ])
  })
})

describe('5: what a client accepts', () => {
  test.each([
    ['application/json', 200],
    ['*/*', 200],
    ['application/*', 200],
    ['text/plain;q=0.5, application/json', 200],
    ['application/json; version=4.7', 200],
    ['text/csv', 406],
    ['image/*', 406],
    ['application/json; version=4.6', 406],
  ])('%s', async (accept, status) => {
    const answer = await api.ask('GET', `${root}servers/1/`, { headers: { Accept: accept } })
    expect(answer.status).toBe(status)
    if (status === 406)
      expect(answer.json.detail).toBe(
        accept.includes('version')
          ? 'Invalid version in "Accept" header.'
          : 'Could not satisfy the request Accept header.',
      )
  })

  test.each([
    ['json', 'application/json', 200],
    ['json', 'text/csv', 406],
    ['xml', 'application/json', 404],
  ])('?format=%s with %s', async (format, accept, status) => {
    const answer = await api.ask('GET', `${root}servers/1/?format=${format}`, { headers: { Accept: accept } })
    expect(answer.status).toBe(status)
  })

  test('JSON is compact and as it is, and indented when that is asked for', async () => {
    await api.ask('PATCH', `${root}servers/1/`, { body: { host: 'ünï.example' } })
    const compact = await api.ask('GET', `${root}servers/1/?fields=id,host`)
    expect(compact.text).toBe('{"id":1,"host":"ünï.example"}')
    const headers = { Accept: 'application/json; indent=2' }
    const indented = await api.ask('GET', `${root}servers/1/?fields=id,host`, { headers })
    expect(indented.text).toBe('{\n  "id": 1,\n  "host": "ünï.example"\n}')
    expect(indented.headers.get('content-type')).toBe('application/json')
  })
})

describe('5: addresses and methods', () => {
  test('a GET without the slash at the end is led there, with its parameters', async () => {
    for (const method of ['GET', 'HEAD']) {
      const answer = await api.ask(method, `${root}servers?limit=1`, { documented: false })
      expect([answer.status, answer.headers.get('location'), answer.text]).toEqual([301, `${root}servers/?limit=1`, ''])
    }
  })

  test('a write without it is a 404, so that no body is lost', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      const answer = await api.ask(method, `${root}servers`, { body: { ...server, name: 'lost' }, documented: false })
      expect([method, answer.status]).toEqual([method, 404])
    }
    expect((await api.ask('GET', `${root}servers/?name=lost`)).json.count).toBe(0)
  })

  test.each(['/api/nope/', '/api/plugins/PBS/servers/', '/api/plugins/pbs/nope/'])(
    '%s is a page of 404',
    async (path) => {
      const { status, headers } = await api.ask('GET', path, { documented: false })
      expect([status, headers.get('content-type')]).toEqual([404, expect.stringContaining('text/html')])
    },
  )

  test.each([
    ['PUT', ''],
    ['PATCH', ''],
    ['POST', 'servers/1/'],
    ['POST', 'tasks/'],
    ['DELETE', 'groups/1/'],
  ])('%s on %j is a 405', async (method, path) => {
    const { status, json } = await api.ask(method, `${root}${path}`, { body: {}, documented: false })
    expect([status, json]).toEqual([405, { detail: `Method "${method}" not allowed.` }])
  })

  test('HEAD has the headers of GET and no body', async () => {
    for (const path of ['servers/', 'servers/1/']) {
      const [get, head] = [await api.ask('GET', `${root}${path}`), await api.ask('HEAD', `${root}${path}`)]
      expect([head.status, head.text]).toEqual([200, ''])
      for (const name of ['allow', 'etag', 'content-type', 'api-version'])
        expect(head.headers.get(name)).toBe(get.headers.get(name))
    }
  })

  test('the plugins are listed as NetBox lists them', async () => {
    expect((await api.ask('GET', '/api/plugins/')).json).toEqual({
      'installed-plugins': `${api.url}/api/plugins/installed-plugins/`,
      pbs: `${api.url}${root}`,
    })
    expect((await api.ask('GET', '/api/')).json).toMatchObject({
      plugins: `${api.url}/api/plugins/`,
      status: `${api.url}/api/status/`,
    })
    const { json } = await api.ask('GET', root)
    expect(Object.keys(json)).toEqual(Object.keys(json).toSorted())
    expect(json.servers).toBe(`${api.url}${root}servers/`)
  })
})

describe('5: behind a proxy', () => {
  const forwarded = {
    'X-Forwarded-Host': 'nb.example.com',
    'X-Forwarded-Proto': 'https',
    'X-Forwarded-Prefix': '/netbox/',
  }
  const first = async (where: TestApi, headers: Record<string, string>, path = root) => {
    const { json } = await where.ask('GET', `${path}servers/?limit=1`, { headers, documented: false })
    return json.results[0].url
  }

  test('links are those that the client knows', async () => {
    expect(await first(api, forwarded)).toBe(`https://nb.example.com/netbox${root}servers/1/`)
    const answer = await api.ask('GET', `${root}servers`, { headers: forwarded, documented: false })
    expect(answer.headers.get('location')).toBe(`/netbox${root}servers/`)
  })

  test('what is no prefix, no scheme or no known host does not get into links', async () => {
    const odd = { 'X-Forwarded-Proto': 'javascript', 'X-Forwarded-Prefix': '//evil.example.com' }
    expect(await first(api, odd)).toBe(`${api.url}${root}servers/1/`)
    const headers = { 'X-Forwarded-Host': 'evil.example.com' }
    expect((await api.ask('GET', root, { headers })).status).toBe(400)
  })

  test('pages are below the prefix, with their links, forms and cookies', async () => {
    const headers = { 'X-Forwarded-Prefix': '/netbox' }
    const ask = (path: string) => api.ask('GET', path, { headers, token: null, documented: false })
    const away = await ask('/plugins/pbs/')
    expect(away.headers.get('location')).toMatch(/^\/netbox\/plugins\/pbs\/login\//)
    const { text } = await ask('/plugins/pbs/login/?next=/plugins/pbs/servers/')
    expect(text).toContain('href="/netbox/plugins/pbs/static/')
    expect(text).not.toMatch(/(?:href|src|action)="\/plugins/)
    expect(text).toContain('value="/plugins/pbs/servers/"')
    const answer = await fetch(`${api.url}/plugins/pbs/login/`, {
      method: 'POST',
      redirect: 'manual',
      headers: { ...headers, Origin: api.url, 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ token: adminToken, next: '/plugins/pbs/servers/' }),
    })
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/netbox/plugins/pbs/servers/'])
    expect(answer.headers.getSetCookie().join()).toContain('Path=/netbox/plugins/pbs;')
  })

  describe('with a base path', () => {
    let below: TestApi
    beforeAll(async () => {
      below = await startTestApi(fakeGateway().layer, { basePath: '/netbox' })
      await below.ask('POST', `/netbox${root}servers/`, { body: server, documented: false })
    })
    afterAll(() => below.stop())
    const ask = (path: string) => below.ask('GET', path, { documented: false })

    test('everything is below it, and nothing beyond', async () => {
      expect(await first(below, {}, `/netbox${root}`)).toBe(`${below.url}/netbox${root}servers/1/`)
      expect((await ask(`/netbox${root}servers`)).headers.get('location')).toBe(`/netbox${root}servers/`)
      expect((await ask('/netbox')).headers.get('location')).toBe('/netbox/plugins/pbs/')
      for (const path of [root, '/', '/plugins/pbs/login/', '/netbox-2/', `/netbox/netbox${root}`])
        expect([path, (await ask(path)).status]).toEqual([path, 404])
      expect((await ask('/healthz')).status).toBe(200)
      expect((await ask('/netbox/plugins/pbs/login/')).text).toContain('href="/netbox/plugins/pbs/static/')
    })
  })
})
