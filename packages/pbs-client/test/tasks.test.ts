import { Chunk, Stream } from 'effect'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Harness, json, startHarness } from './client-harness.ts'

let harness: Harness
beforeAll(async () => {
  harness = await startHarness()
})
afterAll(() => harness.server.close())

const row = (starttime: number) => ({ upid: `U${starttime}`, node: 'localhost', starttime, worker_type: 'aptupdate' })

test('one request brings the tasks of any number, and since narrows it', async () => {
  harness.answer(json(Array.from({ length: 5000 }, (_, index) => row(index + 1))))
  const rows = await harness.succeeds((client) => Stream.runCollect(client.tasks({ since: 17 })))
  expect(Chunk.size(rows)).toBe(5000)
  expect(harness.requests().map(({ url }) => url)).toEqual(['/api2/json/nodes/localhost/tasks?limit=0&since=17'])
  await harness.succeeds((client) => Stream.runDrain(client.tasks({})))
  expect(harness.requests().at(-1)?.url).toBe('/api2/json/nodes/localhost/tasks?limit=0')
})

test('a task that runs has no end, and no id where there is none', async () => {
  harness.answer(json([{ ...row(3), pid: 1, pstart: 2, worker_id: null, user: 'root@pam' }]))
  const rows = await harness.succeeds((client) => Stream.runCollect(client.tasks({})))
  expect(Chunk.toReadonlyArray(rows)).toEqual([
    {
      upid: 'U3',
      starttime: 3,
      worker_type: 'aptupdate',
      worker_id: null,
      user: 'root@pam',
      endtime: null,
      status: null,
      unsafeIntegers: [],
    },
  ])
})
