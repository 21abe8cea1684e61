import { Workers } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fakeGateway } from './support/fake-gateway.ts'
import { startTestApi, type TestApi } from './support/test-api.ts'

let api: TestApi
beforeAll(async () => {
  api = await startTestApi(fakeGateway().layer)
})
afterAll(() => api.stop())

const worker = { id: '00000000-0000-4000-8000-000000000001', name: 'host 1' }
const runs = '/api/plugins/pbs/sync-runs/'

test('status, readiness and a run say when no worker runs, and since when', async () => {
  const { json: run } = await api.ask('POST', runs, { body: { resources: ['servers'] } })
  const answers = async () => ({
    status: (await api.ask('GET', '/api/status/')).json['rq-workers-running'],
    ready: await api.ask('GET', '/readyz', { token: null }),
    run: (await api.ask('GET', `${runs}${run.id}/`)).json.waits_for_worker_since,
  })

  const none = await answers()
  expect([none.status, none.ready.status, none.run]).toEqual([0, 200, run.created])
  expect(none.ready.json).toEqual({
    status: 'ready',
    workers: 0,
    note: 'No worker has started yet: runs wait until one starts (start:worker)',
  })

  await api.run(Effect.flatMap(Workers, (workers) => workers.heartbeat(worker)))
  const one = await answers()
  expect([one.status, one.ready.json, one.run]).toEqual([1, { status: 'ready', workers: 1, note: null }, null])

  await api.run(Effect.flatMap(Workers, (workers) => workers.stopped(worker)))
  const silent = await answers()
  expect([silent.status, silent.ready.status]).toEqual([0, 200])
  expect(silent.ready.json.note).toMatch(/^No worker has run since 2\d{3}-.*Z: runs wait until one starts/)
  expect(Date.parse(silent.run)).toBeGreaterThanOrEqual(Date.parse(run.created))
})
