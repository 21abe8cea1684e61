import { Workers } from '@netbox-pbs/core/ports'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { sql } from 'kysely'
import { afterAll, describe, expect, test } from 'vitest'
import { Database } from '../src/database/database.ts'
import { workersLayer } from '../src/workers/workers.ts'
import { engines } from './engines.ts'

const first = { id: '00000000-0000-4000-8000-000000000001', name: 'host-a 1' }
const second = { id: '00000000-0000-4000-8000-000000000002', name: 'host-b 2' }

describe.each(engines)('Workers on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(workersLayer, migrated))
  const workers = <A, E>(use: (workers: typeof Workers.Service) => Effect.Effect<A, E>) =>
    runtime.runPromise(Effect.flatMap(Workers, use))
  const silentFor = (interval: string) =>
    runtime.runPromise(
      Effect.flatMap(Database, (database) =>
        database.query('testing', (db) =>
          sql`update workers set heard_at = heard_at - ${interval}::interval`.execute(db),
        ),
      ),
    )
  const state = () => workers((w) => w.state())
  afterAll(() => runtime.dispose())

  test('counts those that were heard of lately, and says when the last one was', async () => {
    expect(await state()).toEqual({ running: 0, lastHeartbeat: null })
    await workers((w) => w.heartbeat(first))
    await workers((w) => w.heartbeat(second))
    await workers((w) => w.heartbeat(first))
    expect(await state()).toEqual({ running: 2, lastHeartbeat: expect.any(String) })
    await workers((w) => w.stopped(second))
    expect((await state()).running).toBe(1)
    const { lastHeartbeat } = await state()
    await silentFor('61 seconds')
    const removed = await state()
    expect(removed.running).toBe(0)
    expect(Date.parse(removed.lastHeartbeat ?? '')).toBeLessThan(Date.parse(lastHeartbeat ?? ''))
    await workers((w) => w.heartbeat(first))
    expect((await state()).running).toBe(1)
  })

  test('a heartbeat of a clock that was ahead keeps no worker alive forever', async () => {
    await workers((w) => w.heartbeat(second))
    await silentFor('-400 days')
    expect(Date.parse((await state()).lastHeartbeat ?? '')).toBeLessThan(Date.now() + 86_400_000)
    expect((await state()).running).toBe(0)
    await workers((w) => w.heartbeat(first))
    expect((await state()).running).toBe(1)
  })
})
