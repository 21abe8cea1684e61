import { create, groupFacts, landOnce, may, rootOf, serverFacts, serverIdOf, snapshotFacts } from '@netbox-pbs/testing'
import { Effect } from 'effect'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fakeGateway } from './support/fake-gateway.ts'
import { startTestApi, type TestApi } from './support/test-api.ts'

const keys = '/api/plugins/pbs/keys/'
const fingerprint = '9d:20:5c:aa:41:7e:03:bb:64:f8:19:c2:8e:57:0d:36:e1:92:4b:7f:a8:15:dc:60:33:fe:08:b7:5a:c9:71:1e'

let api: TestApi

beforeAll(async () => {
  api = await startTestApi(fakeGateway().layer)
  await api.run(
    Effect.gen(function* () {
      yield* landOnce({ resource: 'servers' }, [{ model: 'server', changes: [create('server', serverFacts('pbs-a'))] }])
      const server = (yield* serverIdOf('pbs-a')) ?? 0
      yield* landOnce(rootOf('pbs-a'), [
        { model: 'group', changes: [create('group', groupFacts(server, '100'))] },
        {
          model: 'snapshot',
          changes: [
            create(
              'snapshot',
              snapshotFacts(server, '100', may(1), { crypt_mode: 'encrypt', key_fingerprint: fingerprint }),
            ),
            create('snapshot', snapshotFacts(server, '100', may(2))),
          ],
        },
      ])
    }),
  )
})
afterAll(() => api.stop())

test('a key is listed with what it opens, and takes what operators know of it', async () => {
  const { json } = await api.ask('GET', `${keys}?only_group_count=0`)
  expect(json.count).toBe(1)
  const [{ id }] = json.results
  const key = {
    id,
    url: `${api.url}${keys}${id}/`,
    display: '9d:20:5c:aa:41:7e:03:bb',
    fingerprint,
    ...{ snapshot_count: 1, group_count: 1, only_group_count: 0 },
    ...{ holder: '', location: '', checked_at: null, comment: '' },
    ...{ first_seen: expect.any(String), last_seen: may(1), last_updated: expect.any(String) },
  }
  expect(json.results).toEqual([key])
  const one = `${keys}${id}/`
  const noted = { holder: 'Ann', location: 'safe 3', checked_at: '2026-06-01T00:00:00Z', comment: 'printed' }
  expect((await api.ask('PATCH', one, { body: noted })).json).toEqual({ ...key, ...noted })
  expect((await api.ask('GET', one)).json).toEqual({ ...key, ...noted })
  expect((await api.ask('GET', `${keys}?q=SAFE&checked_at__gte=2026-06-01T00:00:00Z`)).json.count).toBe(1)
  expect((await api.ask('PATCH', one, { body: { checked_at: 'soon' } })).json).toEqual({
    checked_at: ['Datetime has wrong format: use 2026-05-01T02:00:00Z.'],
  })
  expect((await api.ask('GET', `${keys}${id + 1}/`)).status).toBe(404)
  const log = await api.ask('GET', '/api/plugins/pbs/changes/?changed_object_type=netbox_pbs.encryptionkey')
  expect(log.json.results.map(({ display }: { display: string }) => display)).toEqual([
    `Key ${fingerprint} updated by admin`,
  ])
})

test('backups that a key opens, and groups whose newest is not encrypted though older are, are found', async () => {
  const count = async (path: string) => (await api.ask('GET', `/api/plugins/pbs/${path}`)).json.count
  expect(await count(`snapshots/?key_fingerprint=${fingerprint}`)).toBe(1)
  expect(await count('groups/?newest_unencrypted=true')).toBe(1)
  expect(await count('groups/?key_count=1&only_key=')).toBe(1)
})
