import { branchedModels, registry } from '@netbox-pbs/core'
import { Database } from '@netbox-pbs/store-postgres'
import { Effect, Layer, Logger } from 'effect'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { restPaths } from '../src/routes/rest-paths.ts'
import { fakeGateway } from './support/fake-gateway.ts'
import { adminToken, engines, startTestApi, type TestApi } from './support/test-api.ts'

const root = '/api/plugins/pbs'

/** Every list of the API, with 1 in the place of ids. */
const described = restPaths.flatMap(({ routes }) =>
  routes.flatMap(({ config }) =>
    config.method === 'get' && JSON.stringify(config.responses[200] ?? {}).includes('List"') ? [config] : [],
  ),
)
const lists = described.map(({ path }) => path.replace(/\{\w+\}/g, '1'))

/** Those that are read by a cursor too. */
const withCursor = lists.filter((_, nth) => JSON.stringify(described[nth]).includes('"name":"start"'))

/** The lists that a request can read in a branch. */
const branched = branchedModels.map((model) => `${root}/${registry[model].path}/`)

const rows: ReadonlyArray<readonly [path: string, body: object]> = [
  ['servers', { name: 'pbs-a', host: '192.0.2.1', token_id: 'a@pbs!b' }],
  ['servers', { name: 'pbs-b', host: '192.0.2.2', token_id: 'a@pbs!b' }],
  ['../../extras/tags', { name: 'Off site', slug: 'off-site' }],
  ['../../extras/tags', { name: 'Old, but kept', slug: 'old' }],
  ['../../extras/custom-field-choice-sets', { name: 'sites', extra_choices: [['a', 'A']] }],
  ['../../extras/custom-fields', { name: 'team', type: 'text', object_types: ['netbox_pbs.pbssnapshot'] }],
  ['datastores', { server: 1, name: 'tank', path: '/tank', comment: '=HYPERLINK("http://x","y")' }],
  ['datastores', { server: 2, name: 'tank', path: '/tank' }],
  ...[1, 2, 3].map(
    (day) =>
      [
        'snapshots',
        {
          ...{ server: 1 + (day % 2), datastore_name: 'tank', backup_type: 'vm', backup_id: String(day) },
          ...{ backup_time: `2026-05-0${day}`, size_bytes: day === 2 ? null : day, comment: `say "${day}",\nthen` },
          ...{ tags: [{ slug: 'off-site' }], custom_fields: { team: `t${day}` } },
        },
      ] as const,
  ),
  ['jobs', { server: 1, job_type: 'gc', job_id: 'tank', store: 'tank' }],
  ['branches', { name: 'review' }],
  ['branches', { name: 'clean up' }],
  ['sync-runs', {}],
  ['../../extras/webhooks', { name: 'ticket', payload_url: 'https://tickets.example.com/' }],
  ['../../users/users', { username: 'lin', password: 'long enough 1' }],
]

/** The lines of a text in NDJSON. */
const objects = (text: string): ReadonlyArray<Record<string, unknown>> =>
  text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]))

/** The records of CSV: a reader of RFC 4180 that knows nothing of the writer. */
function records(text: string): ReadonlyArray<ReadonlyArray<string>> {
  const found: Array<Array<string>> = [[]]
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/g)) {
    if (quoted === undefined && plain === '' && end === '') break
    found.at(-1)?.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'))
    if (end === '\r\n') found.push([])
  }
  return found.slice(0, -1)
}

/** The columns of an object in CSV: each custom field has one. No column at all is a blank line. */
function columnsOf(object: Readonly<Record<string, unknown>>): ReadonlyArray<string> {
  const names = Object.entries(object).flatMap(([name, value]) =>
    name === 'custom_fields' ? Object.keys(value as object).map((field) => `cf_${field}`) : [name],
  )
  return names.length === 0 ? [''] : names
}

describe.each(engines)('exports on $engine', ({ engine, database }) => {
  /** Of the code above the store: one engine is enough. */
  const onServer = test.runIf(engine === 'PostgreSQL')
  let api: TestApi
  let branch: string

  beforeAll(async () => {
    api = await startTestApi(fakeGateway().layer, { database })
    for (const [path, body] of rows) {
      const { pathname } = new URL(`${api.url}${root}/${path}/`)
      expect([path, (await api.ask('POST', pathname, { body })).status]).toEqual([path, 201])
    }
    branch = (await api.ask('GET', `${root}/branches/?name=review`)).json.results[0].schema_id
    const inBranch = { headers: { 'X-NetBox-Branch': branch } }
    await api.ask('PATCH', `${root}/servers/1/`, { body: { name: 'renamed' }, ...inBranch })
    await api.ask('DELETE', `${root}/snapshots/1/`, inBranch)
    for (const [path, body] of rows.slice(-9, -6)) {
      const made = { ...body, ...{ backup_id: '9', owner: 'in the branch' } }
      expect((await api.ask('POST', `${root}/${path}/`, { body: made, ...inBranch })).status).toBe(201)
    }
  })
  afterAll(() => api.stop())

  /** All objects of a list in its order, from its pages. */
  const listed = async (path: string, query = '', headers = {}) => {
    const { json } = await api.ask('GET', `${path}?limit=1000${query}`, { headers })
    return json.results as ReadonlyArray<Record<string, unknown>>
  }

  test.each(lists)('%s comes whole, in the order and with the fields of its pages', async (path) => {
    const pages = await listed(path)
    const ndjson = await api.ask('GET', `${path}?export=ndjson`)
    expect([ndjson.status, ndjson.headers.get('content-type')]).toEqual([200, 'application/x-ndjson'])
    expect(ndjson.text).toBe(pages.map((object) => `${JSON.stringify(object)}\n`).join(''))
    const csv = await api.ask('GET', `${path}?export=csv`)
    expect([csv.status, csv.headers.get('content-type')]).toEqual([200, 'text/csv; charset=utf-8; header=present'])
    const [head = [], ...lines] = records(csv.text)
    for (const object of pages) expect(head).toEqual(columnsOf(object))
    expect(lines.map((line) => line.length)).toEqual(pages.map(() => head.length))
    const at = head.indexOf('id')
    if (at !== -1) expect(lines.map((line) => line[at])).toEqual(pages.map(({ id }) => String(id)))
    const name = path.split('/').at(-2)
    expect(csv.headers.get('content-disposition')).toBe(`attachment; filename="${name}.csv"`)
  })

  onServer.each(lists)('%s: other forms, parts of a list and unknown values are refused', async (path) => {
    for (const [query, field] of [
      ['export=xlsx', 'export'],
      ['export=CSV', 'export'],
      ['export=csv&limit=5', 'limit'],
      ['export=ndjson&offset=5', 'offset'],
      ['export=csv&start=0', 'start'],
    ]) {
      const { status, json } = await api.ask('GET', `${path}?${query}`)
      expect([query, status, Object.keys(json)]).toEqual([query, 400, [field]])
    }
    const { status, json } = await api.ask('GET', `${path}?export=csv&filter_id=1`)
    expect([status, Object.keys(json)]).toEqual([400, ['filter_id']])
    const head = await api.ask('HEAD', `${path}?export=csv&nope=1`)
    expect([head.status, head.text, head.headers.get('x-ignored-parameters')]).toEqual([200, '', 'nope'])
  })

  onServer.each(lists)('%s: fields, omit and brief choose the columns', async (path) => {
    for (const query of ['fields=display,id', 'omit=display,tags', 'brief=1']) {
      const { text } = await api.ask('GET', `${path}?export=csv&${query}`)
      const pages = await listed(path, `&${query}`)
      for (const object of pages) expect(records(text)[0]).toEqual(columnsOf(object))
      expect(objects((await api.ask('GET', `${path}?export=ndjson&${query}`)).text)).toEqual(pages)
    }
  })

  test.each(withCursor)('%s is walked by its cursor, in the order of ids', async (path) => {
    const found: Array<number> = []
    for (let next: string | null = `${path}?start=0&limit=1`; next !== null; ) {
      const { status, json } = await api.ask('GET', next)
      expect([status, json.count, json.previous, json.results.length <= 1]).toEqual([200, null, null, true])
      found.push(...json.results.map(({ id }: { id: number }) => id))
      next = json.next?.slice(api.url.length) ?? null
    }
    const ids = (await listed(path)).map(({ id }) => Number(id))
    expect(found).toEqual(ids.toSorted((a, b) => a - b))
    for (const query of ['start=x', 'start=-1', 'start=0&offset=1', 'start=0&ordering=id']) {
      const { status, json } = await api.ask('GET', `${path}?${query}`)
      expect([query, status, json]).toEqual([query, 400, [expect.any(String)]])
    }
  })

  test('every list of objects with ids has a cursor', () => {
    expect(lists.filter((path) => !withCursor.includes(path)).map((path) => path.slice(root.length))).toEqual([
      '/servers/1/costs/',
      '/datastores/1/usage/',
      '/branches/1/changes/',
      '/sync-runs/1/scopes/',
      '/sync-runs/1/jobs/',
      '/insights/nights/',
      '/snapshots/1/copies/',
      '/copy-ledger/',
    ])
  })

  test.each(branched)('%s in a branch', async (path) => {
    const headers = { 'X-NetBox-Branch': branch }
    const pages = await listed(path, '', headers)
    expect(objects((await api.ask('GET', `${path}?export=ndjson`, { headers })).text)).toEqual(pages)
    expect(objects((await api.ask('GET', `${path}?export=ndjson&_branch=${branch}`)).text)).toEqual(pages)
    if (path.endsWith('/snapshots/')) expect(pages).not.toEqual(await listed(path))
  })

  test.each(['q=tank', 'server=pbs-b', 'size_bytes__empty=true', 'tag=off-site&ordering=-size_bytes', 'ordering=-id'])(
    'snapshots by %s are those of the list',
    async (query) => {
      const pages = await listed(`${root}/snapshots/`, `&${query}`)
      expect(pages.length).toBeGreaterThan(0)
      expect(objects((await api.ask('GET', `${root}/snapshots/?export=ndjson&${query}`)).text)).toEqual(pages)
    },
  )

  test('CSV has values, names and slugs, a column of each custom field, and no formulas', async () => {
    const columns = 'id,server,backup_type,size_bytes,protected,comment,tags'
    const { text } = await api.ask('GET', `${root}/snapshots/?export=csv&ordering=id&fields=${columns},custom_fields`)
    expect(records(text)).toEqual([
      [...columns.split(','), 'cf_team'],
      ['1', 'pbs-b', 'vm', '1', 'false', 'say "1",\nthen', 'off-site', 't1'],
      ['2', 'pbs-a', 'vm', '', 'false', 'say "2",\nthen', 'off-site', 't2'],
      ['3', 'pbs-b', 'vm', '3', 'false', 'say "3",\nthen', 'off-site', 't3'],
    ])
    const stores = await api.ask('GET', `${root}/datastores/?export=csv&fields=comment&server=pbs-a`)
    expect(records(stores.text)).toEqual([['comment'], [`'=HYPERLINK("http://x","y")`]])
  })

  test('a list without rows has its line of names', async () => {
    const { text } = await api.ask('GET', `${root}/snapshots/?export=csv&fields=id,owner&backup_id=none`)
    expect(text).toBe('id,owner\r\n')
    expect((await api.ask('GET', `${root}/snapshots/?export=ndjson&backup_id=none`)).text).toBe('')
  })

  onServer('the media type of the export satisfies Accept', async () => {
    const accept = (Accept: string) => ({ headers: { Accept } })
    const status = async (query: string, Accept: string) =>
      (await api.ask('GET', `${root}/servers/?${query}`, accept(Accept))).status
    expect(await status('export=csv', 'text/csv')).toBe(200)
    expect(await status('export=ndjson', 'application/x-ndjson')).toBe(200)
    expect(await status('export=ndjson', 'text/csv')).toBe(406)
    expect(await status('', 'text/csv')).toBe(406)
  })
})

describe('a long export', () => {
  /** Statements that read snapshots. */
  let reads = 0
  const text = async ({ driver }: Database['Type'], statement: string) => {
    if (driver._tag !== 'pg') throw new Error('this needs a server')
    return (await driver.pool.query<object>(statement)).rows
  }
  const waiting = Layer.effect(
    Database,
    Effect.map(
      Database,
      (of) =>
        ({
          ...of,
          query: (operation, use) =>
            of.query(operation, async (db) => {
              reads += operation === 'listing snapshots' ? 1 : 0
              // The first three find the servers, the ids, and the rows of the first piece.
              if (operation === 'listing snapshots' && reads > 3) await text(of, 'select pg_sleep(600)')
              return await use(db)
            }),
        }) satisfies Database['Type'],
    ),
  )
  const logged: Array<string> = []
  const logger = Logger.make(({ message }) => void logged.push(String(message)))
  const [, postgres] = engines

  const withApi = async (statementTimeoutSeconds: number, use: (api: TestApi) => Promise<void>) => {
    const database = Layer.provide(waiting, postgres?.database ?? Layer.die('no engine'))
    const api = await startTestApi(fakeGateway().layer, { database, statementTimeoutSeconds, logger })
    try {
      reads = 0
      await api.ask('POST', `${root}/servers/`, { body: { name: 'pbs-a', host: 'h', token_id: 'a@pbs!b' } })
      await api.run(
        Effect.flatMap(Database, (of) =>
          of.query('filling', () =>
            text(
              of,
              `insert into snapshots (server_id, datastore_name, backup_type, backup_id, backup_time, presence)
              select 1, 'tank', 'vm', n::text, '2026-05-01', 'listed' from generate_series(1, 1500) n`,
            ),
          ),
        ),
      )
      await use(api)
    } finally {
      await api.stop()
    }
  }

  const begin = async (api: TestApi, signal?: AbortSignal) => {
    const response = await fetch(`${api.url}${root}/snapshots/?export=ndjson`, {
      headers: { Authorization: `Bearer ${adminToken}` },
      ...(signal === undefined ? {} : { signal }),
    })
    expect(response.status).toBe(200)
    return response
  }

  const sleeping = (api: TestApi, expected: boolean) =>
    api.run(
      Effect.flatMap(Database, (of) =>
        of.query('looking', () =>
          text(of, `select 1 from pg_stat_activity where state = 'active' and query = 'select pg_sleep(600)'`),
        ),
      ).pipe(Effect.repeat({ until: (found) => found.length > 0 === expected })),
    )

  test('sends what it has, and its statement ends when the client leaves', async () => {
    await withApi(600, async (api) => {
      const client = new AbortController()
      const response = await begin(api, client.signal)
      const reader = response.body?.getReader()
      let text = ''
      while (text.split('\n').length <= 1000) text += Buffer.from((await reader?.read())?.value ?? []).toString()
      expect(objects(text).length).toBe(1000)
      await sleeping(api, true)
      client.abort()
      await sleeping(api, false)
      expect(logged).not.toContain('an export failed')
    })
  })

  test('is cut off, and logged, when a later part cannot be read', async () => {
    await withApi(1, async (api) => {
      const response = await begin(api)
      await expect(response.text()).rejects.toThrow()
      expect(logged).toContain('the database did not finish an export')
    })
  })
})
