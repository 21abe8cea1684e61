import { readFileSync } from 'node:fs'
import { Queue, Source, SourceFailed, type SourceFrame, type SourceRequest } from '@netbox-pbs/core/ports'
import { MemorySystem, sourceContract } from '@netbox-pbs/sync/testing'
import { Effect, Layer, Option, Stream } from 'effect'
import { describe, expect, test } from 'vitest'
import { runJob, startRun } from '../src/index.ts'
import { type Listed, listedSource } from './examples/listed-source.ts'

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')

const snapshot = (backupId: string, day: number) => ({
  'backup-type': 'vm',
  'backup-id': backupId,
  'backup-time': 1_780_000_000 + day * 86_400,
  owner: 'backup@pbs',
  size: 1000,
})
const listed: Listed = {
  'pbs-a': { tank: [snapshot('100', 1), snapshot('101', 1), snapshot('100', 2)], vault: [] },
  'pbs-b': {},
}

test('the page shows the adapter that is run here', () => {
  expect(read('../../../docs/write-an-adapter.md')).toContain(
    `\`\`\`ts\n${read('./examples/listed-source.ts').trim()}\n\`\`\``,
  )
})

test('the page names every suite that is published, and each is there', async () => {
  const page = read('../../../docs/write-an-adapter.md')
  const published = Object.keys(await import('@netbox-pbs/sync/testing')).filter((name) => name.endsWith('Contract'))
  expect([...new Set(page.match(/\b\w+Contract\b/g))].toSorted()).toEqual(published.toSorted())
})

describe('the source of the page', () => {
  sourceContract({
    run: (effect) => Effect.runPromise(Effect.provide(effect, listedSource(listed))),
    servers: ['pbs-a', 'pbs-b'],
    lists: ['servers', 'datastores', 'snapshots'],
  })
})

describe('a sync from it', () => {
  const syncFrom = (system: MemorySystem, source: Layer.Layer<Source>) =>
    Effect.runPromise(
      Effect.gen(function* () {
        const resources = ['servers', 'datastores', 'snapshots'] as const
        const { id } = yield* startRun({ resources, servers: null, trigger: 'manual', user: 'admin' })
        for (;;) {
          const queue = yield* Queue
          const claimed = yield* queue.claim()
          if (Option.isNone(claimed)) return system.record(id).run
          yield* runJob(claimed.value)
          yield* queue.complete(claimed.value)
        }
      }).pipe(Effect.provide(Layer.merge(system.layer, source))),
    )

  test('lands its rows, and writes nothing the second time', async () => {
    const system = new MemorySystem()
    const first = await syncFrom(system, listedSource(listed))
    expect(first).toMatchObject({ status: 'completed', counts: { created: 2 + 2 + 2 + 3 } })
    const writes = system.world.writes
    const second = await syncFrom(system, listedSource(listed))
    expect(second).toMatchObject({ status: 'completed', counts: { created: 0, updated: 0, deleted: 0 } })
    expect(system.world.writes).toBe(writes)
  })

  test('that is cut off deletes nothing', async () => {
    const system = new MemorySystem()
    await syncFrom(system, listedSource(listed))
    const failed = new SourceFailed({ code: 'cut_off', message: 'it was cut off', retryable: false })
    const ended = (frame: SourceFrame) => frame._tag === 'complete' && frame.scope.resource === 'snapshots'
    const cut = Layer.effect(
      Source,
      Effect.map(Source, ({ frames }) => ({
        frames: (request: SourceRequest) =>
          request.resource === 'snapshots'
            ? Stream.concat(
                Stream.takeUntil(frames(request), ended).pipe(Stream.filter((frame) => !ended(frame))),
                Stream.fail(failed),
              )
            : frames(request),
      })),
    )
    const run = await syncFrom(
      system,
      Layer.provide(cut, listedSource({ 'pbs-a': { tank: [], vault: [] }, 'pbs-b': {} })),
    )
    expect(run.status).toBe('incomplete')
    expect(system.world.rows.snapshot.size).toBe(3)
  })
})
