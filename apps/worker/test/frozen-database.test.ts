import { Runs, Source } from '@netbox-pbs/core/ports'
import {
  Database,
  eventsLayer,
  inventoryLayer,
  migrate,
  queueLayer,
  secretBoxLayer,
  settingsLayer,
} from '@netbox-pbs/store-postgres'
import { startRun } from '@netbox-pbs/sync'
import { type FleetServer, fleetFrames } from '@netbox-pbs/sync/memory'
import { type FreezingProxy, freezingProxy, postgresUrl } from '@netbox-pbs/testing'
import { Effect, Layer, Logger, ManagedRuntime, Redacted, Stream } from 'effect'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { runWorker } from '../src/index.ts'

const pbsA: FleetServer = {
  name: 'pbs-a',
  endpointId: 1,
  datastores: { tank: { namespaces: { '': { 'vm/1': [1, 2, 3], 'vm/2': [1] }, a: { 'ct/3': [1] } } } },
}

let url: string
let proxy: FreezingProxy
let lines: Array<string>
beforeEach(async () => {
  lines = []
  url = await postgresUrl()
  proxy = await freezingProxy(url)
})
afterEach(() => proxy.stop())

const box = secretBoxLayer({ key: Redacted.make(Buffer.alloc(32, 7).toString('base64')), keyName: 'TEST_KEY' })
const storesOn = (address: string) =>
  Layer.mergeAll(inventoryLayer, queueLayer, settingsLayer, eventsLayer).pipe(
    Layer.provideMerge(
      Layer.orDie(Database.layerPg({ url: Redacted.make(address), poolSize: 8, patienceMillis: 200 })),
    ),
    Layer.provide(box),
  )
const logger = Logger.replace(
  Logger.defaultLogger,
  Logger.make(({ message }) => void lines.push([message].flat().map(String).join(' '))),
)

test('a worker whose connections freeze in the middle of a run says so once, and the run completes by itself', async () => {
  let frames = 0
  const source = Layer.succeed(Source, {
    frames: (request) =>
      Stream.suspend(() => Stream.fromIterable(fleetFrames([pbsA], request))).pipe(
        Stream.flatMap((item) => (Effect.isEffect(item) ? Stream.drain(Stream.fromEffect(item)) : Stream.make(item))),
        Stream.tap(({ _tag }) =>
          Effect.sync(() => {
            if (_tag !== 'group') return
            frames += 1
            if (frames === 2) proxy.freeze()
          }),
        ),
      ),
  })
  const observer = ManagedRuntime.make(storesOn(url))
  await observer.runPromise(migrate)
  const worker = ManagedRuntime.make(Layer.provideMerge(Layer.merge(storesOn(proxy.url), source), logger))
  const stopping = new AbortController()
  const working = worker.runPromise(runWorker({ concurrency: 2, pollMillis: 50 }), { signal: stopping.signal })
  const { id } = await observer.runPromise(
    startRun({
      resources: ['servers', 'datastores', 'snapshots'],
      servers: null,
      trigger: 'manual',
      user: 'admin',
    }),
  )
  const run = () => observer.runPromise(Effect.flatMap(Runs, (runs) => Effect.flatten(runs.get({ id }))))
  await vi.waitFor(async () => expect(['completed', 'incomplete', 'failed']).toContain((await run()).status), {
    timeout: 170_000,
    interval: 200,
  })
  expect(frames).toBeGreaterThan(2)
  expect(await run()).toMatchObject({ status: 'completed', error: '', counts: { created: 1 + 1 + 2 + 5 } })
  expect(lines.filter((line) => line.includes('no longer answer'))).toHaveLength(1)
  stopping.abort()
  await working.catch(() => undefined)
  await worker.dispose()
  await observer.dispose()
})
