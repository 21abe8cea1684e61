import { Database } from '@netbox-pbs/store-postgres'
import { Effect } from 'effect'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { csvLine } from '../src/rest/csv.ts'
import { fakeGateway } from './support/fake-gateway.ts'
import { engines, startTestApi, type TestApi } from './support/test-api.ts'

const snapshots = '/api/plugins/pbs/snapshots/'

/** A filter that no counter answers, since the rows are stored without counters. */
const all = 'id__gt=0'

/** Pieces of text that a form may spoil: quotes, separators, formulas, escapes, and letters of each length in UTF-8. */
const pieces = [
  ...['', '"', '""', ',', '\r\n', '\n', '\\', '\\n', '=1+1', '+', '-', '@x', '\t', "'", 'null', '{}', '[1,2]'],
  ...['\u0001', '\u001f', '\u007f', '\u0085', '\u2028', '\u2029', '\ufeff', '\uffff', 'é', 'ﬁ', '漢', '🦆', '＝'],
  ...['plain', 'a b', '</script>', '%s', '$1', '0', '2026-05-01 02:00:00+00'],
]

/** A generator of numbers below a bound, the same for the same seed. */
function chance(seed: number): (bound: number) => number {
  let state = seed
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * bound)
  }
}

interface Made {
  readonly backup_id: string
  readonly backup_type: string
  readonly owner: string
  readonly comment: string
  readonly verification_state: string
  readonly crypt_mode: string
  readonly size_bytes: number | null
  readonly protected: boolean
  readonly finished: boolean
  readonly backup_time: string
  readonly files: ReadonlyArray<unknown>
  readonly tags: ReadonlyArray<number>
  readonly custom_fields: Readonly<Record<string, unknown>>
}

function made(below: (bound: number) => number, nth: number): Made {
  const one = <A>(of: ReadonlyArray<A>): A => of[below(of.length)] as A
  const text = () => Array.from({ length: below(4) }, () => one(pieces)).join('')
  const some = <A>(of: () => A) => Array.from({ length: below(3) }, of)
  const value = () => one<unknown>([text(), below(9), 1.5, -0.25, 1e21, true, null, [text()], { [text()]: text() }])
  return {
    ...{ backup_id: `${nth}${text()}`, backup_type: one(['vm', 'ct', 'host', 'unknown', 'qemu', '=x']) },
    ...{ owner: text(), comment: text(), verification_state: text(), crypt_mode: text() },
    size_bytes: one([null, 0, 1, Number.MAX_SAFE_INTEGER]),
    ...{ protected: below(2) === 1, finished: below(2) === 1 },
    backup_time: one([
      '2026-05-01T02:00:00Z',
      '2026-05-01T02:00:00.500000Z',
      '0001-01-01T00:00:00Z',
      '9999-12-31T23:59:59.999999Z',
    ]),
    files: some(() => ({ filename: text(), size: below(1000), more: value() })),
    // Some of these tags are not there.
    tags: one([[], [], [1], [2, 1], [7], [1, 7]]),
    custom_fields: Object.fromEntries(
      one([[], ['1'], ['1', '2'], ['1', '2', '3', '4']]).map((key) => [
        key,
        key === '2' ? one(['a', '=b', 'no choice', '']) : key === '3' ? some(() => one(['a', '=b', 'c,d'])) : value(),
      ]),
    ),
  }
}

/** The value of a field as the page of a list must have it. */
const expected = ({ backup_type: type, tags: _, custom_fields: __, ...row }: Made) => ({
  ...row,
  backup_type: expect.objectContaining({ value: ['vm', 'ct', 'host'].includes(type) ? type : 'unknown' }),
})

describe.each(engines)('exports of hostile rows on $engine', ({ database }) => {
  let api: TestApi
  let branch: string
  const rows = Array.from(
    { length: 120 },
    (
      (below) => (_: unknown, nth: number) =>
        made(below, nth)
    )(chance(11)),
  )

  beforeAll(async () => {
    api = await startTestApi(fakeGateway().layer, { database })
    const post = async (path: string, body: object, headers = {}) => {
      const { status, json } = await api.ask('POST', path, { body, headers })
      expect([path, status]).toEqual([path, 201])
      return json
    }
    await post('/api/plugins/pbs/servers/', { name: '=a "b", c', host: 'h', token_id: 'a@pbs!b' })
    for (const name of ['=1+1', 'x, "y"']) await post('/api/extras/tags/', { name, slug: `slug-${name.length}` })
    await post('/api/extras/custom-field-choice-sets/', {
      name: 'set',
      extra_choices: [
        ['a', 'A'],
        ['=b', 'B, "b"'],
        ['c,d', 'C'],
      ],
    })
    const object_types = ['netbox_pbs.pbssnapshot']
    await post('/api/extras/custom-fields/', { name: 'note', type: 'json', object_types })
    // Names of digits sort before all others.
    for (const [name, type] of [
      ['22', 'select'],
      ['several', 'multiselect'],
    ])
      await post('/api/extras/custom-fields/', { ...{ name, type, object_types }, choice_set: 1 })
    await post('/api/extras/custom-fields/', { name: '7', type: 'json', object_types })
    const columns = [
      'backup_id',
      'backup_type',
      'owner',
      'comment',
      'verification_state',
      'crypt_mode',
      'size_bytes',
      'protected',
      'finished',
      'backup_time',
    ]
    const write = `insert into snapshots (server_id, datastore_name, presence, ${columns}, manifest_files, tags, custom_fields)
      select 1, 'tank', 'manual', ${columns}, files, tags, custom_fields from jsonb_to_recordset($1::text::jsonb) as r (
        backup_id text, backup_type text, owner text, comment text, verification_state text, crypt_mode text, size_bytes bigint,
        protected boolean, finished boolean, backup_time timestamptz, files jsonb, tags jsonb, custom_fields jsonb)`
    await api.run(
      Effect.flatMap(Database, ({ driver }) =>
        Effect.promise<unknown>(() =>
          driver._tag === 'pg'
            ? driver.pool.query(write, [JSON.stringify(rows)])
            : driver.pglite.query(write, [JSON.stringify(rows)]),
        ),
      ),
    )
    branch = (await post('/api/plugins/pbs/branches/', { name: 'review' })).schema_id
    const inBranch = { 'X-NetBox-Branch': branch }
    await api.ask('PATCH', `${snapshots}1/`, { body: { comment: '=in, "the" branch' }, headers: inBranch })
    await post(
      snapshots,
      { server: 1, datastore_name: 'tank', backup_type: 'vm', backup_id: 'new', backup_time: '2026-05-09' },
      inBranch,
    )
  })
  afterAll(() => api.stop())

  const listed = async (query: string, headers = {}) => {
    const { json } = await api.ask('GET', `${snapshots}?limit=1000&${all}&${query}`, { headers })
    expect(json.results.length).toBeGreaterThan(100)
    return json.results as ReadonlyArray<Record<string, unknown>>
  }

  test('pages have what was stored', async () => {
    const found = await listed('ordering=id')
    expect(found).toEqual(rows.map((row) => expect.objectContaining(expected(row))))
  })

  test.each([
    '',
    'ordering=-comment',
    'brief=1',
    'fields=id',
    'fields=comment,tags,display,custom_fields,server',
    'omit=custom_fields,files',
    'fields=nothing',
  ])('have the bytes of their pages: %s', async (query) => {
    for (const headers of [{}, { 'X-NetBox-Branch': branch }]) {
      const pages = await listed(query, headers)
      const text = async (form: string) =>
        (await api.ask('GET', `${snapshots}?export=${form}&${all}&${query}`, { headers })).text
      expect(await text('ndjson')).toBe(pages.map((page) => `${JSON.stringify(page)}\n`).join(''))
      const flat = pages.map((page) =>
        Object.entries(page).flatMap(([name, value]) =>
          name === 'custom_fields'
            ? Object.entries(value as object).map(([field, of]) => [`cf_${field}`, of])
            : [[name, value]],
        ),
      )
      const head = flat[0]?.map(([name]) => name) ?? []
      expect(await text('csv')).toBe(
        [head, ...flat.map((cells) => cells.map(([, value]) => value))].map(csvLine).join(''),
      )
    }
  })

  test('of CSV have the columns of custom fields where the list is empty too', async () => {
    const { text } = await api.ask('GET', `${snapshots}?export=csv&fields=id,custom_fields&backup_id=none`)
    expect(text).toBe('id,cf_7,cf_22,cf_note,cf_several\r\n')
    const servers = await api.ask('GET', `/api/plugins/pbs/servers/?export=csv&fields=id,custom_fields`)
    expect(servers.text).toBe('id\r\n1\r\n')
  })
})
