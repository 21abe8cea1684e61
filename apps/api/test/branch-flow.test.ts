import { afterAll, beforeAll, expect, test } from 'vitest'
import { fakeGateway } from './support/fake-gateway.ts'
import { type Ask, startTestApi, type TestApi } from './support/test-api.ts'

const root = '/api/plugins/pbs/'
let api: TestApi

beforeAll(async () => {
  api = await startTestApi(fakeGateway().layer)
})
afterAll(() => api.stop())

/**
 * A client as pynetbox is one: while a branch is active, every request names it in the header, also
 * those about branches.
 */
class Client {
  #headers: Record<string, string> = {}

  activate(schemaId: string | null): void {
    this.#headers = schemaId === null ? {} : { 'X-NetBox-Branch': schemaId }
  }

  ask(method: string, path: string, body?: unknown) {
    const ask: Ask = { headers: this.#headers, ...(body === undefined ? {} : { body }) }
    return api.ask(method, `${root}${path}`, ask)
  }

  async made(path: string, body: unknown) {
    const { status, text, json } = await this.ask('POST', path, body)
    expect(status, text).toBe(201)
    return json
  }

  /** Each snapshot by its id and what people see of it, and the group with its counters. */
  async seen() {
    const { json: snapshots } = await this.ask('GET', 'snapshots/?ordering=backup_time')
    const { json: groups } = await this.ask('GET', 'groups/')
    const { json: stores } = await this.ask('GET', 'datastores/?ordering=name')
    type Row = Readonly<Record<string, unknown>>
    return {
      count: snapshots.count,
      snapshots: snapshots.results.map((row: Row) => [row['id'], row['backup_time'], row['comment']]),
      groups: groups.results.map((row: Row) => [row['backup_id'], row['snapshot_count'], row['total_size']]),
      stores: stores.results.map((row: Row) => [row['id'], row['name'], row['comment']]),
    }
  }
}

test('a client prepares changes in a branch, sees them there alone, merges them and sees them everywhere', async () => {
  const client = new Client()
  await client.made('servers/', { name: 'pbs-a', host: 'a.example', token_id: 'a@pbs!b' })
  const tank = await client.made('datastores/', { server: { name: 'pbs-a' }, name: 'tank', path: '/mnt/tank' })
  const group = { server: { name: 'pbs-a' }, datastore_name: 'tank', backup_type: 'vm', backup_id: '100' }
  const snapshot = (day: number) => ({ ...group, backup_time: `2026-05-0${day}T02:00:00Z`, size_bytes: 1000 * day })
  const [first, second] = await client.made('snapshots/', [snapshot(1), snapshot(2)])
  const before = await client.seen()

  const branch = await client.made('branches/', { name: 'tidy up', description: 'before the audit' })
  client.activate(branch.schema_id)
  expect(await client.seen()).toEqual(before)

  const third = await client.made('snapshots/', snapshot(3))
  const other = await client.made('snapshots/', { ...snapshot(4), backup_id: '200' })
  expect((await client.ask('PATCH', `snapshots/${second.id}/`, { comment: 'keep' })).status).toBe(200)
  expect((await client.ask('DELETE', `snapshots/${first.id}/`)).status).toBe(204)
  expect((await client.ask('PATCH', `datastores/${tank.id}/`, { comment: 'audited' })).status).toBe(200)
  const inBranchPath = await client.seen()
  expect(inBranchPath).toEqual({
    count: 3,
    snapshots: [
      [second.id, '2026-05-02T02:00:00Z', 'keep'],
      [third.id, '2026-05-03T02:00:00Z', ''],
      [other.id, '2026-05-04T02:00:00Z', ''],
    ],
    groups: [
      ['100', 2, 5000],
      ['200', 1, 4000],
    ],
    stores: [[tank.id, 'tank', 'audited']],
  })
  expect((await client.ask('GET', `branches/${branch.id}/`)).json.change_count).toBeGreaterThanOrEqual(5)

  client.activate(null)
  expect(await client.seen()).toEqual(before)

  client.activate(branch.schema_id)
  const merge = (commit: boolean) => client.ask('POST', `branches/${branch.id}/merge/`, { commit })
  const dry = await merge(false)
  expect([dry.status, dry.json.commit]).toEqual([200, false])
  expect((await client.ask('GET', `branches/${branch.id}/`)).json.merged_time).toBe(null)
  const merged = await merge(true)
  expect(merged.json).toMatchObject({ status: { value: 'merged' }, merged_by: 'admin', merged: dry.json.merged })
  // The branch has ended: a client that still names it gets an error, not main.
  expect((await client.ask('GET', 'snapshots/')).status).toBe(400)

  client.activate(null)
  expect(await client.seen()).toEqual(inBranchPath)
  const { json: log } = await client.ask('GET', `changes/?changed_object_id=${second.id}&action=update`)
  expect(log.results).toMatchObject([{ user_name: 'admin', postchange_data: { comment: 'keep' } }])
})
