import { Endpoints, Source, type SourceFrame } from '@netbox-pbs/core/ports'
import { countSnapshots, profiles, type Simulator, startSimulator } from '@netbox-pbs/pbs-simulator'
import { endpointsLayer, proxboxSourceLayer } from '@netbox-pbs/proxbox-client'
import { Chunk, Effect, Layer, Redacted, Stream } from 'effect'
import { afterEach, expect, test } from 'vitest'
import { key, type RunningGateway, startGateway } from './running-gateway.ts'

let pbs: Simulator
let gateway: RunningGateway
afterEach(async () => {
  await gateway.stop()
  await pbs.close()
})

/** The layers by which worker and api call the gateway. */
const withClient = <A, E>(use: Effect.Effect<A, E, Source | Endpoints>): Promise<A> => {
  const address = Effect.succeed({ url: gateway.url, key: Redacted.make(key) })
  return Effect.runPromise(
    use.pipe(Effect.provide(Layer.merge(proxboxSourceLayer({ address }), endpointsLayer({ address })))),
  )
}

const frames = (resource: 'servers' | 'datastores' | 'snapshots' | 'jobs' | 'tasks') =>
  Effect.flatMap(Source, (source) => Stream.runCollect(source.frames({ resource }))).pipe(
    Effect.map(Chunk.toReadonlyArray),
  )

const ends = (all: ReadonlyArray<SourceFrame>) =>
  all.flatMap((frame) => (frame._tag === 'complete' || frame._tag === 'failed' ? [frame._tag] : []))

test.each(profiles)('our own client makes an endpoint, tests it and reads all of a PBS %s', async (profile) => {
  pbs = await startSimulator({ profile, snapshots: 150, failureDelayMs: 30 })
  gateway = await startGateway()
  const { tested, all } = await withClient(
    Effect.gen(function* () {
      const endpoints = yield* Endpoints
      const { id } = yield* endpoints.create({
        name: 'pbs-a',
        host: pbs.host,
        port: pbs.port,
        token_id: pbs.tokens.audit.tokenId,
        token_secret: Redacted.make(pbs.tokens.audit.secret),
        fingerprint: pbs.fingerprint,
        verify_ssl: true,
        timeout_seconds: 30,
      })
      const tested = yield* endpoints.test({ id })
      const all = yield* Effect.forEach(['servers', 'datastores', 'snapshots', 'jobs', 'tasks'] as const, frames)
      return { tested, all }
    }),
  )
  expect(tested).toMatchObject({ reachable: true, error: null, presented_fingerprint: pbs.fingerprint })
  for (const stream of all) {
    expect(stream.at(-1)?._tag).toBe('end')
    expect(new Set(ends(stream))).toEqual(new Set(['complete']))
  }
  const tasks = (all[4] ?? []).flatMap((frame) => (frame._tag === 'task' ? [frame.facts.upid] : []))
  expect(tasks.toSorted()).toEqual(pbs.state.tasks.map(({ upid }) => upid).toSorted())
  const groups = (all[2] ?? []).flatMap((frame) => (frame._tag === 'group' ? [frame] : []))
  const parsed = await Effect.runPromise(Effect.forEach(groups, ({ parse }) => parse))
  expect(parsed.reduce((sum, { snapshots }) => sum + snapshots.length, 0)).toBe(countSnapshots(pbs.state))
  expect(new Set(groups.map(({ digest }) => digest)).size).toBeGreaterThan(1)
})
