import { migratedTemplate } from '@netbox-pbs/store-postgres/engines'
import { postgresUrl } from '@netbox-pbs/testing'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { homeOnPostgres } from './support/homes.ts'
import { newHome, type RunningSystem, startSystem } from './support/running-system.ts'

const root = '/api/plugins/pbs/'
/** Twenty of each race on both engines with NETBOX_PBS_RACES=all (`pnpm races`); else four on PostgreSQL. */
const all = process.env['NETBOX_PBS_RACES'] === 'all'
const rounds = all ? 20 : 4
const engines = [
  { engine: 'PostgreSQL', home: homeOnPostgres },
  // Its one session lets transactions come one after the other.
  ...(all ? [{ engine: 'PGlite', home: () => Promise.resolve(newHome({})) }] : []),
]
const four = [1, 2, 3, 4]

interface Answer {
  readonly status: number
  readonly etag: string
  readonly json: Readonly<Record<string, unknown>>
}

/** Clients that write at the same moment, over sockets. */
describe.each(engines)('concurrent writes on $engine', ({ home }) => {
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
      const removed = await Promise.all(four.map(() => ask('DELETE', path, { headers: within({ 'If-Match': etag }) })))
      expect(statuses(removed)).toEqual([204, 404, 404, 404])
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

  describe('at one moment', () => {
    /** Snapshots of a server of their own, in a namespace each. */
    const fleet = async (name: string) => {
      const id = await make('servers/', { name, host: 'pbs.example.org', token_id: 'a@pbs!b' })
      const snapshots = await Promise.all(
        [1, 2, 3, 4, 5, 6].map((nth) =>
          make('snapshots/', { ...snapshot(`${nth}`), server: id, namespace: `ns-${nth}` }),
        ),
      )
      return { id, snapshots }
    }
    /** A branch that changes snapshots, with its number. */
    const branchOf = async (name: string, snapshots: ReadonlyArray<number>) => {
      const made = await ask('POST', 'branches/', { body: { name } })
      const headers = { 'X-NetBox-Branch': String(made.json['schema_id']) }
      for (const id of snapshots) {
        const edited = await ask('PATCH', `snapshots/${id}/`, { headers, body: { comment: name } })
        expect(edited.status).toBe(200)
      }
      return { id: Number(made.json['id']), headers }
    }
    const merge = (id: number) => ask('POST', `branches/${id}/merge/`, { body: { commit: true } })

    test('six writers in a branch and its merge are all answered, with none lost to a deadlock', async () => {
      const { snapshots } = await fleet('merged-while-written')
      for (let round = 0; round < rounds; round++) {
        const { id, headers } = await branchOf(`written ${round}`, [])
        const [merged, ...written] = await Promise.all([
          merge(id),
          ...snapshots.map((one) => ask('PATCH', `snapshots/${one}/`, { headers, body: { comment: `${round}` } })),
        ])
        expect(merged?.status).toBe(200)
        for (const { status } of written) expect([200, 400, 409]).toContain(status)
      }
    })

    test('a server is deleted during the merge of a branch that changes its children', async () => {
      for (let round = 0; round < rounds; round++) {
        const { id, snapshots } = await fleet(`deleted ${round}`)
        const changed = await branchOf(`below ${round}`, snapshots)
        const [merged, deleted] = await Promise.all([merge(changed.id), ask('DELETE', `servers/${id}/`)])
        expect(deleted.status).toBe(204)
        expect([200, 409]).toContain(merged.status)
      }
    })

    test('a server is deleted during edits of its children, in main and in a branch', async () => {
      for (let round = 0; round < rounds / 2; round++) {
        const { id, snapshots } = await fleet(`edited ${round}`)
        const store = { server: id, name: 'tank', path: '/mnt' }
        const datastore = await make('datastores/', store)
        const { headers } = await branchOf(`edits ${round}`, snapshots)
        const edit = { body: { comment: 'late' } }
        const all = await Promise.all([
          ask('PATCH', `datastores/${datastore}/`, { body: { used_bytes: 5, comment: 'late' } }),
          ask('POST', 'datastores/', { body: { ...store, name: 'new' } }),
          ...snapshots.map((one) => ask('PATCH', `snapshots/${one}/`, edit)),
          ...snapshots.map((one) => ask('PATCH', `snapshots/${one}/`, { ...edit, headers })),
          ask('DELETE', `servers/${id}/`),
        ])
        for (const { status } of all) expect([200, 201, 204, 400, 404]).toContain(status)
        expect(all.at(-1)?.status).toBe(204)
      }
    })

    test('a branch is closed during edits in it and in main', async () => {
      const { snapshots } = await fleet('closed')
      for (let round = 0; round < rounds / 2; round++) {
        const { id, headers } = await branchOf(`closed ${round}`, snapshots)
        const edit = { body: { comment: `${round}` } }
        const [closed, ...written] = await Promise.all([
          ask('POST', `branches/${id}/close/`),
          ...snapshots.map((one) => ask('PATCH', `snapshots/${one}/`, edit)),
          ...snapshots.map((one) => ask('PATCH', `snapshots/${one}/`, { ...edit, headers })),
        ])
        expect(closed?.status).toBe(200)
        for (const { status } of written) expect([200, 400, 409]).toContain(status)
      }
    })
  })
})

test('PostgreSQL counts no deadlock while all of these write at one moment', async () => {
  const databaseUrl = await postgresUrl(migratedTemplate)
  const running = await startSystem(newHome({ databaseUrl }))
  const ask = async (method: string, path: string, body?: object, headers = {}) => {
    const response = await fetch(new URL(`${root}${path}`, running.url), {
      method,
      headers: { Authorization: `Bearer ${running.token}`, 'Content-Type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, json: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown> } // border: as above
  }
  try {
    for (let round = 0; round < rounds / 2; round++) {
      const server = { name: `pbs ${round}`, host: 'pbs.example.org', token_id: 'a@pbs!b' }
      const id = (await ask('POST', 'servers/', server)).json['id']
      const datastore = (await ask('POST', 'datastores/', { server: id, name: 'tank', path: '/' })).json['id']
      const snapshots: Array<unknown> = []
      for (const nth of [1, 2, 3, 4, 5, 6]) {
        const of = { server: id, datastore_name: 'tank', namespace: `${nth}`, backup_type: 'vm', backup_id: '1' }
        snapshots.push((await ask('POST', 'snapshots/', { ...of, backup_time: '2026-05-01T02:00:00Z' })).json['id'])
      }
      const opened = [1, 2].map((nth) => ask('POST', 'branches/', { name: `branch ${round} ${nth}` }))
      const branches = await Promise.all(opened)
      const inBranchPath = branches.map(({ json }) => ({ 'X-NetBox-Branch': String(json['schema_id']) }))
      for (const one of snapshots) await ask('PATCH', `snapshots/${one}/`, { comment: 'a' }, inBranchPath[0])
      const answers = await Promise.all([
        ...snapshots.map((one) => ask('PATCH', `snapshots/${one}/`, { comment: 'b' })),
        ...inBranchPath.flatMap((headers) =>
          snapshots.map((one, nth) =>
            ask('PATCH', `snapshots/${one}/`, { comment: 'c', namespace: `${(nth % 6) + 1}` }, headers),
          ),
        ),
        ask('PATCH', `datastores/${datastore}/`, { used_bytes: round }),
        ...branches.map(({ json }) => ask('POST', `branches/${json['id']}/merge/`, { commit: true })),
        ...(round % 2 === 0 ? [ask('DELETE', `servers/${id}/`)] : []),
        ...(round % 3 === 0 ? [ask('POST', `branches/${branches[0]?.json['id']}/close/`)] : []),
      ])
      expect(answers.filter(({ status }) => status >= 500)).toEqual([])
    }
  } finally {
    // A session counts its deadlocks at its end, if not before.
    await running.stop()
  }
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    const sessions = 'select count(*)::int as n from pg_stat_activity where datname = current_database()'
    await vi.waitFor(async () => expect((await client.query<{ n: number }>(sessions)).rows[0]?.n).toBe(1), 60_000)
    const { rows } = await client.query<{ n: number }>(
      'select deadlocks::int as n from pg_stat_database where datname = current_database()',
    )
    expect(rows).toEqual([{ n: 0 }])
  } finally {
    await client.end()
  }
})
