import { writesOneByOne } from '@netbox-pbs/testing'
import { Effect } from 'effect'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fakeGateway } from '../support/fake-gateway.ts'
import { type Site, startSite, tokens } from './site.ts'
import { Visitor } from './visitor.ts'

const hostile = '<script>alert(1)</script> "quoted" <b>'
const escaped = '&lt;script&gt;alert(1)&lt;/script&gt; &quot;quoted&quot; &lt;b&gt;'

const actor = { user: 'ada', requestId: '7d1c1c1e-0000-4000-8000-000000000001' }

let site: Site
let visitor: Visitor
let serverId: number

beforeAll(async () => {
  site = await startSite(fakeGateway().layer)
  visitor = await new Visitor(site.url).signIn(tokens.reader)
  serverId = await site.use(
    Effect.gen(function* () {
      const writes = yield* writesOneByOne
      const servers = [hostile, 'pbs-b'].map((name) => ({ name, host: 'pbs', token_id: 'a@pbs!b' }))
      const [server = 0, other = 0] = yield* writes.create({ model: 'server', rows: servers, actor })
      const snapshot = { server, datastore_name: 'tank', backup_type: 'vm' }
      const days = Array.from({ length: 60 }, (_, day) => ({
        ...snapshot,
        backup_id: '100',
        backup_time: `2026-0${day < 30 ? 3 : 4}-${String((day % 30) + 1).padStart(2, '0')}T02:00:00Z`,
        size_bytes: 1536,
        comment: day === 0 ? hostile : '',
      }))
      const elsewhere = { ...snapshot, namespace: 'site-a', backup_id: '200', backup_time: '2026-01-01T00:00:00Z' }
      const unexpected = {
        ...snapshot,
        server: other,
        backup_type: 'new-kind',
        backup_id: '300',
        backup_time: '2026-01-01T00:00:00Z',
      }
      yield* writes.create({ model: 'snapshot', rows: [...days, elsewhere, unexpected], actor })
      return server
    }),
  )
})
afterAll(() => site.stop())

const rows = (text: string): number => (/<tbody>(.*?)<\/tbody>/s.exec(text)?.[1] ?? '').split('<tr').length - 1
const page = async (path: string) => {
  const got = await visitor.get(`/plugins/pbs/${path}`)
  expect(got.status, path).toBe(200)
  return got.text
}

describe('a list', () => {
  test('has fifty rows a page, says so, and leads to the next', async () => {
    const text = await page('snapshots/')
    expect(rows(text)).toBe(50)
    expect(text).toContain('Showing 1–50 of 62')
    expect(text).toContain('href="/plugins/pbs/snapshots/?limit=50&amp;offset=50"')
    expect(rows(await page('snapshots/?limit=50&offset=50'))).toBe(12)
  })

  test('sorts by a column, and the other way round', async () => {
    const newest = await page('snapshots/?ordering=-backup_time&limit=1')
    expect(newest).toContain('2026-04-30 02:00:00')
    expect(newest).toContain('aria-sort="descending"')
    expect(newest).toContain('href="/plugins/pbs/snapshots/?ordering=backup_time&amp;limit=1"')
    expect(await page('snapshots/?ordering=backup_time&limit=1')).toContain('2026-01-01 00:00:00')
  })

  test('has no column of servers where all rows are of one', async () => {
    expect(await page('snapshots/')).toContain('id="sort-server"')
    expect(await page(`snapshots/?server_id=${serverId}`)).not.toContain('id="sort-server"')
    expect(await page(`snapshots/?server_id__n=${serverId}`)).toContain('id="sort-server"')
  })

  test('is searched, and says when nothing matches', async () => {
    expect(rows(await page('snapshots/?q=200'))).toBe(1)
    expect(await page('snapshots/?q=zzz')).toContain('No snapshot matches.')
  })

  test('shows its filters, each to be taken off', async () => {
    const text = await page(`snapshots/?server_id=${serverId}&backup_type=vm&namespace=`)
    expect(text).toContain('Showing 1–50 of 60')
    expect(text).toContain(`Server: ${escaped}`)
    expect(text).toContain('Namespace: (root)')
    expect(text).toContain(`href="/plugins/pbs/snapshots/?backup_type=vm&amp;namespace="`)
  })

  test('says what is wrong with an address', async () => {
    const { status, text } = await visitor.get('/plugins/pbs/snapshots/?server=unknown&backup_type=x')
    expect(status).toBe(400)
    expect(text).toContain('There is no server unknown.')
    expect(text).toContain('backup_type: there is no choice x.')
    expect(text).toContain('id="quick-search"')
  })

  test.each(['export=csv', 'filter_id=1'])('with a filter that is not built shows no rows: %s', async (query) => {
    const { status, text } = await visitor.get(`/plugins/pbs/snapshots/?${query}`)
    expect([status, text.includes('is not offered yet'), text.includes('vm/100')]).toEqual([400, true, false])
  })

  test('is filtered by lookups, and says so in words', async () => {
    const { status, text } = await visitor.get('/plugins/pbs/snapshots/?backup_id__isw=100&backup_time__gte=2000-01-01')
    const words = ['Backup id starts with: 100', 'Backup time at least: 2000-01-01']
    expect([status, ...words.map((word) => text.includes(word))]).toEqual([200, true, true])
  })

  test('names what it ignores', async () => {
    const { status, text } = await visitor.get('/plugins/pbs/snapshots/?nope=1')
    expect([status, text.includes('shown without it: nope.')]).toEqual([200, true])
  })

  test.each([
    'sync-runs/?status=late',
    'sync-runs/?created__gte=soon',
    'branches/?name__regex=[',
    'branches/?status__n=late',
    'branches/?tag=a',
  ])('of records shows what is wrong with an address: %s', async (path) => {
    const { status, text } = await visitor.get(`/plugins/pbs/${path}`)
    expect([status, text.includes('alert-danger')]).toEqual([400, true])
  })

  test('past its end leads to the last page', async () => {
    const { status, headers } = await visitor.get('/plugins/pbs/snapshots/?offset=1000&limit=25')
    expect([status, headers.get('location')]).toEqual([303, '/plugins/pbs/snapshots/?offset=50&limit=25'])
  })

  test('has a form that filters, and shows the filter in the words of its column', async () => {
    const { status, headers } = await visitor.get(
      '/plugins/pbs/snapshots/?_filter=1&backup_type=vm&owner=&_field=size_bytes&_lookup=gte&_value=1000',
    )
    const address = headers.get('location') ?? ''
    expect([status, address]).toEqual([303, '/plugins/pbs/snapshots/?backup_type=vm&size_bytes__gte=1000'])
    const text = await page(address.slice('/plugins/pbs/'.length))
    expect(text).toContain('Backup type: Virtual machine')
    expect(text).toContain('Filters (2)')
  })

  test('has the columns that a user chooses, in the address and in this browser, until the usual ones are back', async () => {
    const other = () => new Visitor(site.url).signIn(tokens.reader)
    const chosen = await (await other()).get('/plugins/pbs/snapshots/?_columns=1&columns=backup_id&columns=owner')
    expect(chosen.headers.get('location')).toBe('/plugins/pbs/snapshots/?columns=backup_id%2Cowner')
    const [kept = ''] = chosen.headers.getSetCookie()
    expect(kept).toMatch(/^netbox_pbs_columns_snapshot=backup_id%2Cowner; .*HttpOnly/)
    const heads = async (path: string, headers = {}) =>
      [...(await visitor.get(path, headers)).text.matchAll(/id="sort-(\w+)"/g)].map(([, name]) => name)
    expect(await heads(chosen.headers.get('location') ?? '')).toEqual(['backup_id', 'owner'])
    expect((await visitor.get('/plugins/pbs/snapshots/?columns=owner')).text).not.toContain('shown without it')
    const back = await (await other()).get('/plugins/pbs/snapshots/?_columns=default&columns=owner')
    expect([back.headers.get('location'), back.headers.getSetCookie()[0]]).toEqual([
      '/plugins/pbs/snapshots/',
      expect.stringContaining('Max-Age=0'),
    ])
  })

  test.each(['servers', 'datastores', 'namespaces', 'groups', 'snapshots', 'jobs', 'tasks', 'sync-runs'])(
    'of %s is drawn',
    async (name) => {
      expect(await page(`${name}/`)).toMatch(/<h1[^>]*>/)
    },
  )

  test('shows what a source says as text', async () => {
    const text = await page('snapshots/?ordering=backup_time&limit=1000')
    expect(text).toContain(escaped)
    expect(text).not.toContain('<script>alert')
    expect(text).not.toContain('<b>')
  })
})

describe('a detail', () => {
  test('shows what the source says as text, and what lies below with its count', async () => {
    const text = await page(`servers/${serverId}/`)
    expect(text).toContain(`<title>${escaped} · netbox-pbs</title>`)
    expect(text).not.toContain('<script>alert')
    expect(text).toMatch(
      new RegExp(`href="/plugins/pbs/snapshots/\\?server_id=${serverId}"[^>]*>Snapshots<span[^>]*>61<`),
    )
  })

  test('of a group has its restore points, newest first, and the way to all that it belongs to', async () => {
    const [, group = ''] = /href="\/plugins\/pbs\/(groups\/\d+\/)"/.exec(await page('groups/?backup_id=200')) ?? []
    const text = await page(group)
    const points = text.slice(text.indexOf('Restore points'))
    expect(points).toMatch(/href="\/plugins\/pbs\/snapshots\/\d+\/"[^>]*><time datetime="2026-01-01T00:00:00Z"/)
    const crumbs = text.slice(text.indexOf('aria-label="Breadcrumb"'), text.indexOf('</ol>'))
    expect(
      [...crumbs.matchAll(/href="\/plugins\/pbs\/(\w+)\/[^"]*">([^<]*)</g)].map(([, to, label]) => [to, label]),
    ).toEqual([
      ['groups', 'Groups'],
      ['servers', escaped],
    ])
    // No source has listed these, so that the inventory has no rows to lead to.
    expect(crumbs).toMatch(/>tank<.*>site-a</)
  })

  test('of a snapshot leads to the snapshots of its group before and after it', async () => {
    const at = async (time: string) => {
      const list = await page(`snapshots/?backup_id=100&backup_time=${time}`)
      return /href="\/plugins\/pbs\/(snapshots\/\d+\/)"/.exec(list)?.[1] ?? ''
    }
    const step = async (path: string, label: string) =>
      new RegExp(`href="/plugins/pbs/([^"]+)" aria-label="${label} restore point"`).exec(await page(path))?.[1]
    const [first, second] = [await at('2026-03-01T02:00:00Z'), await at('2026-03-02T02:00:00Z')]
    expect(await step(second, 'Previous')).toBe(first)
    expect(await step(first, 'Next')).toBe(second)
    expect(await step(first, 'Previous')).toBeUndefined()
  })

  test('of a group leads to its snapshots, also of a kind that is not known', async () => {
    const list = await page('groups/')
    const paths = [...list.matchAll(/href="\/plugins\/pbs\/(groups\/\d+\/)"/g)].map(([, path]) => path ?? '')
    const counts = await Promise.all(
      paths.map(async (path) => {
        const [, href = '', count] =
          /href="(\/plugins\/pbs\/snapshots\/[^"]+)"[^>]*>Snapshots<span[^>]*>(\d+)</.exec(await page(path)) ?? []
        const children = await visitor.get(href.replaceAll('&amp;', '&'))
        return [Number(count), /of (\d+)</.exec(children.text)?.[1]]
      }),
    )
    expect(counts.sort()).toEqual([
      [1, '1'],
      [1, '1'],
      [60, '60'],
    ])
  })

  test.each([
    'servers/999999/',
    'snapshots/99999999999999999999/',
    'sync-runs/999999/',
    'sync-runs/99999999999999999999/',
  ])('%s is a 404 page with the way back', async (path) => {
    const { status, text } = await visitor.get(`/plugins/pbs/${path}`)
    expect(status).toBe(404)
    expect(text).toContain('Back to the list')
  })
})
