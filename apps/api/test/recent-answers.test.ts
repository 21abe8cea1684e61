import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Database } from '@netbox-pbs/store-postgres'
import { migratedTemplate } from '@netbox-pbs/store-postgres/engines'
import { builtPrograms, postgresUrl } from '@netbox-pbs/testing'
import { Effect, Layer } from 'effect'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fakeGateway } from './support/fake-gateway.ts'
import { adminToken, asker, engines, startTestApi, type TestApi } from './support/test-api.ts'

const servers = '/api/plugins/pbs/servers/'
const server = (name: string) => ({ name, host: '192.0.2.1', token_id: 'a@pbs!b' })

describe.each(engines)('answers that were just given, on $engine', ({ database }) => {
  /** Statements that list servers. */
  let listed = 0
  const counting = Layer.effect(
    Database,
    Effect.map(
      Database,
      (of) =>
        ({
          ...of,
          query: (operation, use) => {
            listed += operation === 'listing servers' ? 1 : 0
            return of.query(operation, use)
          },
        }) satisfies Database['Type'],
    ),
  )
  let api: TestApi
  beforeAll(async () => {
    api = await startTestApi(fakeGateway().layer, { database: Layer.provide(counting, database) })
    await api.ask('POST', servers, { body: server('pbs-a') })
  })
  afterAll(() => api.stop())

  /** The answer to a request, and whether the database listed for it. */
  const get = async (path: string, token = adminToken) => {
    const before = listed
    const { json, headers } = await api.ask('GET', path, { token })
    return { json, ignored: headers.get('x-ignored-parameters'), isNew: listed > before }
  }

  test('are given again until something is committed, and to those who see the same', async () => {
    await get(`${servers}?nope=1`)
    const first = await get(`${servers}?nope=1`)
    expect(first).toMatchObject({ json: { count: 1 }, ignored: 'nope', isNew: true })
    expect(await get(`${servers}?nope=1`)).toEqual({ ...first, isNew: false })
    expect((await get(servers)).isNew).toBe(true)
    const made = await api.ask('POST', servers, { body: server('pbs-b') })
    expect(await get(`${servers}?nope=1`)).toMatchObject({ json: { count: 2 }, isNew: true })
    await api.ask('PATCH', `${servers}${made.json.id}/`, { body: { name: 'renamed' } })
    const names = async () => (await get(servers)).json.results.map(({ name }: { name: string }) => name)
    expect(await names()).toEqual(['pbs-a', 'renamed'])
    expect(await names()).toEqual(['pbs-a', 'renamed'])
    // Its third answer would be one of those kept, were a failed write not a commit of nothing.
    expect((await api.ask('PATCH', `${servers}${made.json.id}/`, { body: { name: '' } })).status).toBe(400)
    expect(await names()).toEqual(['pbs-a', 'renamed'])
  })

  test('are not given to a user of other servers, nor in a branch', async () => {
    const user = { username: 'lin', password: 'long enough 1', servers: ['pbs-a'] }
    const { json: made } = await api.ask('POST', '/api/users/users/', { body: user })
    const { json: token } = await api.ask('POST', '/api/users/tokens/', { body: { user: made.id } })
    const { json: branch } = await api.ask('POST', '/api/plugins/pbs/branches/', { body: { name: 'review' } })
    const headers = { 'X-NetBox-Branch': branch.schema_id }
    await api.ask('POST', servers, { headers, body: server('pbs-c') })
    const count = async (more: object) => (await api.ask('GET', servers, more)).json.count
    for (let nth = 0; nth < 4; nth++) {
      expect(await count({})).toBe(2)
      expect(await count({ token: `nbt_${token.key}.${token.token}` })).toBe(1)
      expect(await count({ headers })).toBe(3)
    }
  })

  test('follow the time where rows do: a job is due, and nothing is committed', async () => {
    const { json: one } = await api.ask('POST', servers, { body: server('pbs-d') })
    const job = { server: one.id, job_type: 'verify', job_id: 'v' }
    await api.ask('POST', '/api/plugins/pbs/jobs/', { body: job })
    // Due in two seconds, when a quarter of an hour has passed.
    await api.run(
      Effect.flatMap(Database, (database) =>
        database.query('noting a job', (db) => {
          const due_at = new Date(Date.now() - 15 * 60_000 + 2000).toISOString()
          const noted = { health: 'ok', due_at } as never // border: no module declares the table
          return db
            .updateTable('job_observations' as never)
            .set(noted)
            .execute()
        }),
      ),
    )
    const health = async () => (await get(`/api/plugins/pbs/jobs/?server=pbs-d`)).json.results[0].health.value
    await expect.poll(health, { timeout: 60_000 }).toBe('unknown')
  })
})

test('two processes never answer with less than their clients have seen', async () => {
  const url = await postgresUrl(migratedTemplate)
  const programs = await builtPrograms()
  const start = async () => {
    const child = spawn(process.execPath, [...programs('api'), '--port', '0'], {
      env: {
        DATABASE_URL: url,
        NETBOX_PBS_SECRET_KEY: Buffer.alloc(32, 7).toString('base64'),
        NETBOX_PBS_BOOTSTRAP_TOKEN: adminToken,
      },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const ended = once(child, 'exit')
    let written = ''
    for await (const piece of child.stdout) {
      written += String(piece)
      const [, at] = /listens on (http:\/\/\S+)/.exec(written) ?? []
      if (at !== undefined) return { ask: asker(at), stop: () => child.kill('SIGTERM') && ended }
    }
    throw new Error(`the API has ended: ${written}`)
  }
  const both = [await start()]
  both.push(await start())
  const [a, b] = both
  if (a === undefined || b === undefined) throw new Error('two processes were started')
  try {
    const clients = await Promise.all(
      ['c-0', 'c-1', 'c-2', 'c-3'].map(async (name) => ({
        name,
        id: (await a.ask('POST', servers, { body: server(name) })).json.id,
      })),
    )
    const portOf = async (process: typeof a, id: number): Promise<number> => {
      const { json } = await process.ask('GET', servers)
      return json.results.find((row: { id: number }) => row.id === id).port
    }
    // Each client writes its own server, reads the list that all read, and must see its last write.
    const older = await Promise.all(
      clients.map(async ({ id }, nth) => {
        const found: Array<string> = []
        for (let port = 1; port <= 40; port++) {
          const [one, other] = (port + nth) % 2 === 0 ? [a, b] : [b, a]
          await one.ask('PATCH', `${servers}${id}/`, { body: { port } })
          for (const process of [other, one, other]) {
            const saw = await portOf(process, id)
            if (saw !== port) found.push(`client ${nth} had written ${port} and read ${saw}`)
          }
        }
        return found
      }),
    )
    expect(older.flat()).toEqual([])
  } finally {
    for (const { stop } of both) await stop()
  }
}, 120_000)
