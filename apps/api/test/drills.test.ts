import { naturalKey } from '@netbox-pbs/core'
import { Findings } from '@netbox-pbs/core/ports'
import { create, landOnce } from '@netbox-pbs/testing'
import { Effect } from 'effect'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fakeGateway } from './support/fake-gateway.ts'
import { startTestApi, type TestApi } from './support/test-api.ts'

const root = '/api/plugins/pbs'
const list = `${root}/drills/`

let api: TestApi
let server: number

beforeAll(async () => {
  api = await startTestApi(fakeGateway().layer)
  const body = { name: 'pbs-a', host: '192.0.2.1', token_id: 'a@pbs!b' }
  server = (await api.ask('POST', `${root}/servers/`, { body })).json.id
})
afterAll(() => api.stop())

const drill = { server: 'pbs-a', datastore_name: 'tank', backup_type: 'vm', backup_id: '101' }

test('a drill is recorded, changed and removed, and the change log has it', async () => {
  const body = { ...drill, started: '2026-06-01T10:00:00Z', outcome: 'ok', duration_seconds: 900, note: 'booted' }
  const made = await api.ask('POST', list, { body })
  expect(made.status).toBe(201)
  expect(made.json).toEqual({
    ...{ id: expect.any(Number), url: `${api.url}${list}${made.json.id}/`, display: 'vm/101 of tank on pbs-a' },
    state: { value: 'confirmed', label: 'Confirmed' },
    server: { id: server, url: `${api.url}${root}/servers/${server}/`, display: 'pbs-a', name: 'pbs-a' },
    ...{ datastore_name: 'tank', namespace: '', backup_type: 'vm', backup_id: '101', backup_time: null },
    ...{ started: '2026-06-01T10:00:00Z', duration_seconds: 900, outcome: { value: 'ok', label: 'Ok' } },
    ...{
      performed_by: 'admin',
      note: 'booted',
      upid: '',
      created: expect.any(String),
      last_updated: expect.any(String),
    },
  })
  const path = `${list}${made.json.id}/`
  expect((await api.ask('PATCH', path, { body: { outcome: 'failed' } })).json).toMatchObject({
    outcome: { value: 'failed' },
  })
  expect((await api.ask('GET', `${list}?server=pbs-a&outcome=failed`)).json.count).toBe(1)
  expect((await api.ask('GET', `${list}?backup_id=102`)).json.count).toBe(0)
  expect((await api.ask('DELETE', path)).status).toBe(204)
  expect((await api.ask('GET', path)).status).toBe(404)
  const log = await api.ask('GET', `${root}/changes/?changed_object_type=netbox_pbs.drill`)
  expect(log.json.results.map(({ display }: { display: string }) => display)).toEqual([
    'Drill vm/101 of tank on pbs-a deleted by admin',
    'Drill vm/101 of tank on pbs-a updated by admin',
    'Drill vm/101 of tank on pbs-a created by admin',
  ])
})

test.each([
  [{}, { started: ['This field is required.'], outcome: ['This field is required.'] }],
  [{ started: 'now', outcome: 'ok' }, { started: ['Datetime has wrong format: use 2026-05-01T02:00:00Z.'] }],
  [{ started: '2026-06-01', outcome: 'ok', server: 'nope' }, { server: ['No server has the name nope.'] }],
  [{ started: '2026-06-01', outcome: 'ok', server: 999_999 }, { server: ['No server has the id 999999.'] }],
  [{ started: '2026-06-01', outcome: 'great' }, { outcome: ['great is not a valid choice.'] }],
])('the drill %j is refused', async (more, errors) => {
  expect(await api.ask('POST', list, { body: { ...drill, ...more } })).toMatchObject({ status: 400, json: errors })
})

test('a task that read a backup proposes one, once, until a user confirms or dismisses it', async () => {
  const now = Math.floor(Date.now() / 1000)
  const start = now - 3600
  const hex = start.toString(16).toUpperCase()
  const facts = {
    ...{ server, upid: `UPID:pbs1:1:2:3:${hex}:reader:x:ann@pbs:`, node: 'pbs1', worker_type: 'reader' },
    ...{ worker_id: `tank:vm/101/${hex}`, user: 'ann@pbs', starttime: new Date(start * 1000).toISOString() },
    ...{ datastore_name: 'tank', namespace: '', backup_type: 'vm', backup_id: '101', job_type: '', job_id: '' },
  }
  const values = { endtime: new Date((start + 90) * 1000).toISOString(), outcome: 'ok', status: 'OK' }
  const observed = [{ key: naturalKey('task', facts), values }]
  const part = { model: 'task', changes: [create('task', facts)], observed } as const
  await api.run(landOnce({ resource: 'tasks', server: 'pbs-a' }, [part], { at: new Date(now * 1000).toISOString() }))
  const evaluate = (after: number) =>
    api.run(
      Effect.flatMap(Findings, (all) =>
        all.evaluate({ now: now + after, every: 60, latest: now + 900, afterRuns: false, byWorker: true }),
      ),
    )
  await evaluate(0)
  const { json } = await api.ask('GET', list)
  expect(json).toMatchObject({
    count: 1,
    results: [
      {
        ...{ state: { value: 'proposed' }, performed_by: 'ann@pbs', duration_seconds: 90, outcome: { value: 'ok' } },
        ...{ backup_type: 'vm', backup_id: '101', upid: facts.upid },
      },
    ],
  })
  const dismissed = await api.ask('PATCH', `${list}${json.results[0].id}/`, { body: { state: 'dismissed' } })
  expect(dismissed.json).toMatchObject({ state: { value: 'dismissed', label: 'Dismissed' } })
  await evaluate(120)
  expect((await api.ask('GET', list)).json.count).toBe(1)
})
