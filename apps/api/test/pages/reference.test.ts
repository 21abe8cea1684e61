import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openApiDocument } from '../../src/openapi/document.ts'
import { type Document, operationsOf } from '../../src/pages/reference/document.ts'
import { restPaths } from '../../src/routes/rest-paths.ts'
import { fakeGateway } from '../support/fake-gateway.ts'
import { startTestApi, type TestApi } from '../support/test-api.ts'
import { Visitor } from './visitor.ts'

const root = '/api/schema/swagger-ui/'
const document = openApiDocument(restPaths) as unknown as Document // border: the document is our own
const operations = operationsOf(document)

let api: TestApi
let visitor: Visitor
beforeAll(async () => {
  api = await startTestApi(fakeGateway().layer)
  visitor = new Visitor(api.url)
})
afterAll(() => api.stop())

const get = async (path: string) => {
  const { status, headers, text } = await visitor.get(path)
  expect([path, status, headers.get('content-type')]).toEqual([path, 200, 'text/html; charset=utf-8'])
  return text
}

/** The words of a page, without its tags. */
const words = (html: string): string =>
  html
    .replace(/<[^>]+>/g, ' ')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
    .replace(/\s+/g, ' ')

/** The links of a page that lead to pages about REST. */
const links = (html: string): ReadonlySet<string> =>
  new Set([...html.matchAll(/href="([^"]+)"/g)].flatMap(([, href = '']) => (href.startsWith(root) ? [href] : [])))

test('the first page lists every operation by its tag, and every schema', async () => {
  const text = await get(root)
  const parts = text.split('<section')
  for (const { method, path, operationId, summary, tags } of operations) {
    for (const tag of tags) {
      const part = words(`<section${parts.find((one) => one.includes(`id="tag-${tag}"`))}`)
      expect(part).toContain(`${method} ${path} ${summary}`)
    }
    expect(links(text)).toContain(`${root}operations/${operationId}/`)
  }
  for (const name of Object.keys(document.components.schemas)) expect(links(text)).toContain(`${root}schemas/${name}/`)
})

describe('the page of an operation', () => {
  test('says everything that the document says, of each of them', async () => {
    const known = new Set([...links(await get(root)), root])
    for (const { operationId, method, path, description, parameters = [], responses } of operations) {
      const html = await get(`${root}operations/${operationId}/`)
      const text = words(html)
      expect(text).toContain(`${method} ${path}`)
      expect(text).toContain(description.replaceAll('`', ' ').replace(/\s+/g, ' ').slice(0, 20).trim())
      const code = new Set([...html.matchAll(/<code>([^<]*)<\/code>/g)].map(([, name]) => name))
      for (const { name } of parameters) expect([operationId, code.has(name), name]).toEqual([operationId, true, name])
      for (const status of Object.keys(responses)) expect(html).toContain(`<th scope="row">${status}</th>`)
      for (const link of links(html)) expect([operationId, link, known.has(link)]).toEqual([operationId, link, true])
    }
  })

  test('groups the lookups of a filter, and names the type of each', async () => {
    const text = words(await get(`${root}operations/plugins_pbs_servers_list/`))
    expect(text).toMatch(/name query array of string Also: name__n name__ic .* name__empty \(true or false\) /)
    expect(text).toContain('port query array of integer Also: port__n port__lt')
    expect(text).toContain('limit query integer at least 0, at most 1000, default 50')
  })

  test('shows the fields of its body, with their limits', async () => {
    const text = words(await get(`${root}operations/plugins_pbs_servers_create/`))
    expect(text).toContain('JSON: ServerRequest or array of ServerRequest')
    expect(text).toContain('name required string characters at least: 1, characters at most: 255')
    expect(text).toContain('port integer at least 1, at most 65535')
    expect(text).toMatch(/token_secret string .*write only/)
    expect(text).toContain('409 The state of the branch, or of the server, does not allow it application/json: Detail')
  })

  test('has a command that works as it stands', async () => {
    const html = await get(`${root}operations/extras_tags_create/`)
    const command = words(/<code>(curl[^<]*)<\/code>/.exec(html)?.[1] ?? '')
    const [, method = '', address = ''] = /curl -sS -X (\w+) '([^']+)'/.exec(command) ?? []
    const [, raw = ''] = /-d '([^']*)'/.exec(command) ?? []
    expect(command).toContain('-H "Authorization: Bearer $TOKEN"')
    expect(address).toBe(`${api.url}/api/extras/tags/`)
    const made = await api.ask(method, '/api/extras/tags/', { raw, headers: { 'Content-Type': 'application/json' } })
    expect([made.status, made.text]).toEqual([201, expect.stringContaining('"id"')])
    expect(words(await get(`${root}operations/schema_retrieve/`))).not.toContain('Authorization')
  })
})

test('the page of a schema has its fields, an example, and the operations that use it', async () => {
  for (const [name, { properties = {} }] of Object.entries(document.components.schemas)) {
    const html = await get(`${root}schemas/${name}/`)
    for (const field of Object.keys(properties))
      expect([name, html.includes(`<code>${field}</code>`)]).toEqual([name, true])
  }
  const text = words(await get(`${root}schemas/Tag/`))
  expect(text).toMatch(/"slug": "\w+"/)
  expect(text).toContain('GET /api/extras/tags/{id}/')
})

test.each([
  ['/api/schema/redoc/', 302, root],
  ['/api/schema/redoc', 301, '/api/schema/redoc/'],
  ['/api/schema/swagger-ui', 301, root],
])('%s leads to the pages', async (path, status, location) => {
  const answer = await visitor.get(path)
  expect([answer.status, answer.headers.get('location')]).toEqual([status, location])
})

test.each(['operations/nope', 'operations/__proto__', 'schemas/Nope', 'schemas/constructor', 'schemas/%3Cb%3E'])(
  '%s is not there',
  async (path) => {
    const { status, text } = await visitor.get(`${root}${path}/`)
    expect([status, text]).toEqual([404, expect.stringContaining('Nothing of this API is described at')])
    expect(text).not.toContain('<b>')
  },
)

describe('every page about REST', () => {
  const some = [root, `${root}operations/plugins_pbs_snapshots_list/`, `${root}schemas/Server/`]

  test.each(some)('%s has one title, named regions, and no script or style of its own', async (path) => {
    const html = await get(path)
    expect(html.match(/<h1[ >]/g)).toHaveLength(1)
    for (const [region] of html.matchAll(/<(?:nav|section)(?![^>]*class="card")[^>]*>/g))
      expect(region).toContain('aria-label="')
    expect(html).not.toMatch(/ style="|<style|<script>| on[a-z]+="/)
    expect(html).toContain('href="/api/schema/?format=yaml"')
    expect(html).toContain('href="/api/schema/?format=json"')
  })

  test.each(some)('%s keeps the prefix of a proxy', async (path) => {
    const { text } = await visitor.get(path, { 'X-Forwarded-Prefix': '/netbox' })
    expect(text).not.toMatch(/(?:href|src)="\/(?!netbox\/)/)
  })
})

test('the menu of the other pages leads there', async () => {
  const { json } = await api.ask('POST', '/api/users/tokens/', { body: {} })
  await visitor.signIn(`nbt_${json.key}.${json.token}`)
  expect((await visitor.get('/plugins/pbs/')).text).toContain(`href="${root}"`)
})
