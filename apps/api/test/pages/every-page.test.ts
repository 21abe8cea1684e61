import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pages } from '../../src/pages/pages.ts'
import { fakeGateway } from '../support/fake-gateway.ts'
import { type Site, startSite, tokens } from './site.ts'
import { Visitor } from './visitor.ts'

const root = '/plugins/pbs'

/** Every page and form, with an id of 1; without the sign-in, files, and answers to unknown addresses. */
const routes = pages(() => Promise.reject(new Error('The test only reads the routes.')))
  .routes.filter(({ path }) => !/^\/(?:login|logout|static)\/|\*/.test(path))
  .map(({ method, path }) => ({ method, path: `${root}${path.replace(':id{[0-9]+}', '1')}` }))
const shown = routes.filter(({ method }) => method === 'GET').map(({ path }) => path)
const forms = routes.filter(({ method }) => method !== 'GET').map(({ path }) => path)

let site: Site
let reader: Visitor
let form_token: string

beforeAll(async () => {
  site = await startSite(fakeGateway().layer)
  reader = await new Visitor(site.url).signIn(tokens.reader)
  form_token = await reader.formToken()
})
afterAll(() => site.stop())

test('the routes include pages and forms of each kind', () => {
  expect(shown).toEqual(expect.arrayContaining([`${root}/`, `${root}/servers/1/`, `${root}/branches/1/conflicts/`]))
  expect(forms).toEqual(expect.arrayContaining([`${root}/servers/add/`, `${root}/branches/1/merge/`]))
})

describe('signed out', () => {
  test.each(shown)('%s asks for the sign-in', async (path) => {
    const { status, headers } = await new Visitor(site.url).get(path)
    expect([status, headers.get('location')]).toEqual([303, `${root}/login/?${new URLSearchParams({ next: path })}`])
  })

  test.each(forms)('a form sent to %s asks for the sign-in', async (path) => {
    const { status, headers } = await new Visitor(site.url).send(path, { form_token })
    expect([status, headers.get('location')]).toEqual([303, `${root}/login/?${new URLSearchParams({ next: path })}`])
  })
})

describe('signed in', () => {
  test.each(forms)('a form sent to %s needs the right to write', async (path) => {
    const { status, text } = await reader.send(path, { form_token })
    expect([status, text.includes('You may not change this')]).toEqual([403, true])
  })

  test.each(forms)('a form sent to %s needs the token of its session', async (path) => {
    const { status, text } = await reader.send(path, { form_token: 'x'.repeat(64) })
    expect([status, text.includes('This form was not accepted')]).toEqual([403, true])
  })

  test('the menu has an item for each list', async () => {
    const { text } = await reader.get(`${root}/`)
    const menu = text.slice(text.indexOf('<nav aria-label="Pages"'), text.indexOf('</nav>'))
    const items = [...menu.matchAll(/<a [^>]*href="([^"]+)"/g)].map(([, href]) => href)
    const lists = shown.filter((path) => path.split('/').length <= `${root}/list/`.split('/').length)
    expect(items.toSorted()).toEqual(lists.toSorted())
  })
})
