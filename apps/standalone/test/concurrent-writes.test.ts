import { postgresUrl } from '@netbox-pbs/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newHome, type RunningSystem, startSystem } from './support/running-system.ts'

const root = '/api/plugins/pbs/'
const rounds = 20
const four = [1, 2, 3, 4]

interface Answer {
  readonly status: number
  readonly etag: string
  readonly json: Readonly<Record<string, unknown>>
}

/** Clients that write at the same moment, over sockets. */
describe.each([
  ['PostgreSQL', async () => newHome({ databaseUrl: await postgresUrl() })],
  ['PGlite', async () => newHome({})],
])('concurrent writes on %s', (_engine, home) => {
  let running: RunningSystem
  let branch: string
  let server: number

  const ask = async (
    method: string,
    path: string,
    { body, headers = {} }: { readonly body?: object; readonly headers?: Readonly<Record<string, string>> } = {},
  ): Promise<Answer> => {
    const response = await fetch(new URL(`${root}${path}`, running.url), {
      method,
      headers: {
        Authorization: `Bearer ${running.token}`,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    // border: a test reads what it asserts
    const json = text === '' ? {} : (JSON.parse(text) as Answer['json'])
    return { status: response.status, etag: response.headers.get('etag') ?? '', json }
  }
  const statuses = (answers: ReadonlyArray<Answer>) => answers.map(({ status }) => status).toSorted((a, b) => a - b)
  const make = async (path: string, body: object, headers = {}): Promise<number> => {
    const made = await ask('POST', path, { body, headers })
    expect(made.status, JSON.stringify(made.json)).toBe(201)
    return Number(made.json['id'])
  }
  const openBranch = async (name: string): Promise<string> =>
    String((await ask('POST', 'branches/', { body: { name } })).json['schema_id'])

  beforeAll(async () => {
    running = await startSystem(await home())
    branch = await openBranch('of a user')
    server = await make('servers/', { name: 'pbs-a', host: 'pbs.example.org', token_id: 'a@pbs!b' })
  })
  afterAll(() => running?.stop())

  const snapshot = (backup_id: string, second = 0) => ({
    server,
    datastore_name: 'tank',
    backup_type: 'vm',
    backup_id,
    backup_time: new Date(Date.UTC(2026, 4, 1, 2, 0, second)).toISOString(),
  })

  describe.each([
    ['main', () => ({})],
    ['a branch', () => ({ 'X-NetBox-Branch': branch })],
  ])('with If-Match in %s', (where, headersOf) => {
    const within = (more = {}) => ({ ...headersOf(), ...more })

    test.each([
      ['servers', 'PATCH', (nth: string) => ({ sync_interval_minutes: 10 + nth.length, version: nth })],
      [
        'datastores',
        'PUT',
        (nth: string) => ({ server, name: `put-${where}`.replace(' ', '-'), path: '/mnt', comment: nth }),
      ],
      ['snapshots', 'PATCH', (nth: string) => ({ comment: nth })],
    ])('of four writers of one of the %s a single one is answered 200, three 412', async (model, method, body) => {
      const name = `${model}-${where}`.replace(' ', '-')
      const first = {
        servers: { name, host: 'h.example.org', token_id: 'a@pbs!b' },
        datastores: body(''),
        snapshots: snapshot(name),
      }[model]
      const path = `${model}/${await make(`${model}/`, first ?? {}, within())}/`
      for (let round = 0; round < rounds; round++) {
        const { etag } = await ask('GET', path, { headers: within() })
        const answers = await Promise.all(
          four.map((nth) =>
            ask(method, path, { body: body(`${round}-${nth}`), headers: within({ 'If-Match': etag }) }),
          ),
        )
        expect(statuses(answers)).toEqual([200, 412, 412, 412])
        const [written] = answers.filter(({ status }) => status === 200)
        expect(answers.filter(({ status }) => status === 412).map((answer) => answer.etag)).not.toContain(etag)
        expect((await ask('GET', path, { headers: within() })).json).toEqual(written?.json)
        const late = await ask('DELETE', path, { headers: within({ 'If-Match': etag }) })
        expect([late.status, late.etag]).toEqual([412, written?.etag])
      }
      const { etag } = await ask('GET', path, { headers: within() })
      const gone = await Promise.all(four.map(() => ask('DELETE', path, { headers: within({ 'If-Match': etag }) })))
      expect(statuses(gone)).toEqual([204, 404, 404, 404])
    })

    test('as many increments are answered 200 as the row says', async () => {
      const path = `snapshots/${await make('snapshots/', { ...snapshot(`sum-${where}`), comment: '0' }, within())}/`
      const increment = async (): Promise<number> => {
        const { json, etag } = await ask('GET', path, { headers: within() })
        const body = { comment: String(Number(json['comment']) + 1) }
        return (await ask('PATCH', path, { body, headers: within({ 'If-Match': etag }) })).status
      }
      let answered = 0
      for (let round = 0; round < rounds; round++) {
        const all = await Promise.all(four.map(increment))
        expect(all.every((status) => status === 200 || status === 412)).toBe(true)
        answered += all.filter((status) => status === 200).length
      }
      expect((await ask('GET', path, { headers: within() })).json['comment']).toBe(String(answered))
    })
  })

  test.each([
    ['settings/', 'PATCH', (nth: string) => ({ branch_name_prefix: `p-${nth}` })],
    ['settings/1/', 'PUT', (nth: string) => ({ branch_name_prefix: `q-${nth}` })],
    ['branches/1/', 'PATCH', (nth: string) => ({ description: nth })],
  ])('with If-Match of %s: of four writers a single one is answered 200', async (path, method, body) => {
    for (let round = 0; round < rounds; round++) {
      const { etag } = await ask('GET', path)
      expect(etag).toMatch(/^W\/"/)
      const answers = await Promise.all(
        four.map((nth) => ask(method, path, { body: body(`${round}-${nth}`), headers: { 'If-Match': etag } })),
      )
      expect(statuses(answers)).toEqual([200, 412, 412, 412])
      const [written] = answers.filter(({ status }) => status === 200)
      expect((await ask('GET', path)).json).toEqual(written?.json)
    }
  })
})
