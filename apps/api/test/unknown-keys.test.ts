import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fakeGateway } from './support/fake-gateway.ts'
import { startTestApi, type TestApi } from './support/test-api.ts'

const root = '/api/plugins/pbs'
let api: TestApi

const rows = {
  servers: { name: 'pbs-a', host: '192.0.2.1', token_id: 'a@pbs!b' },
  datastores: { server: 'pbs-a', name: 'tank', path: '/tank' },
  snapshots: { server: 'pbs-a', datastore_name: 'tank', backup_type: 'vm', backup_id: '1', backup_time: '2026-05-01' },
  jobs: { server: 'pbs-a', job_type: 'gc', job_id: 'tank' },
}
const models = ['servers', 'datastores', 'snapshots', 'jobs'] as const

beforeAll(async () => {
  api = await startTestApi(fakeGateway().layer)
  for (const model of models)
    expect((await api.ask('POST', `${root}/${model}/`, { body: rows[model] })).status).toBe(201)
})
afterAll(() => api.stop())

describe.each(models)('%s', (model) => {
  const one = `${root}/${model}/1/`
  const ask = (method: string, path: string, body: unknown) => api.ask(method, path, { body })

  test('take back what was read', async () => {
    const { json: read } = await api.ask('GET', one)
    expect(read).toMatchObject({ tags: [], custom_fields: {} })
    for (const method of ['PATCH', 'PUT']) {
      const body = { ...rows[model], tags: read.tags, custom_fields: read.custom_fields, changelog_message: '' }
      expect((await ask(method, one, body)).status).toBe(200)
    }
  })
})

describe('an action', () => {
  test.each([
    ['sync-runs/', { server: 'pbs-a' }, 'server'],
    ['sync-runs/', { servers: ['pbs-a'], constructor: 1 }, 'constructor'],
    ['sync-runs/1/cancel/', { force: true }, 'force'],
    ['servers/1/test/', { timeout: 3 }, 'timeout'],
    ['branches/', { name: 'x', descriptoin: 'y' }, 'descriptoin'],
    ['branches/1/merge/', { comit: false }, 'comit'],
    ['branches/1/sync/', { comit: false }, 'comit'],
    ['branches/1/revert/', { nam: 'x' }, 'nam'],
    ['branches/1/approve/', { revision: 0, force: true }, 'force'],
    ['branches/1/resolve/', { resolution: 'main', al: true }, 'al'],
    ['branches/1/close/', { force: true }, 'force'],
  ])('%s with %j refuses the key that it does not know', async (path, body, key) => {
    await api.ask('POST', `${root}/branches/`, { body: { name: 'one' } })
    if (path.startsWith('sync-runs/1')) await api.ask('POST', `${root}/sync-runs/`, { body: {} })
    const { status, json } = await api.ask('POST', `${root}/${path}`, { body })
    expect([status, json]).toEqual([400, expect.objectContaining({ [key]: ['There is no such field.'] })])
  })

  test('of held deletions does so too, and of the settings', async () => {
    const { status, json } = await api.ask('PATCH', `${root}/settings/`, { body: { guard_min_row: 1, id: 1 } })
    expect([status, json]).toEqual([400, { guard_min_row: ['There is no such field.'] }])
  })
})

test('keys that mean nothing in a row are ignored, as NetBox ignores them', async () => {
  const body = { nope: 1, constructor: 2, ['__proto__x']: 3 }
  expect((await api.ask('PATCH', `${root}/servers/1/`, { body })).status).toBe(200)
})
