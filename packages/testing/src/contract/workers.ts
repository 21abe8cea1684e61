import { Workers } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { expect, test } from 'vitest'

/** Workers under test, without any heartbeat yet. */
export interface WorkersUnderTest {
  readonly run: <A, E>(effect: Effect.Effect<A, E, Workers>) => Promise<A>
  /** Lets the last heartbeat of each worker be so many seconds older; fewer than none: later, as by a clock that was ahead. */
  readonly age: (seconds: number) => Promise<unknown>
}

const first = { id: '00000000-0000-4000-8000-000000000001', name: 'host-a 1' }
const second = { id: '00000000-0000-4000-8000-000000000002', name: 'host-b 2' }

/** The contract of `Workers`. */
export const workersContract = ({ run, age }: WorkersUnderTest): void => {
  const workers = <A, E>(use: (workers: typeof Workers.Service) => Effect.Effect<A, E>) =>
    run(Effect.flatMap(Workers, use))
  const state = () => workers((w) => w.state())

  test('counts those that were heard of lately, and says when the last one was', async () => {
    expect(await state()).toEqual({ running: 0, lastHeartbeat: null })
    await workers((w) => w.heartbeat(first))
    await workers((w) => w.heartbeat(second))
    await workers((w) => w.heartbeat(first))
    expect(await state()).toEqual({ running: 2, lastHeartbeat: expect.any(String) })
    await workers((w) => w.stopped(second))
    const { running, lastHeartbeat } = await state()
    expect(running).toBe(1)
    await age(61)
    const silent = await state()
    expect(silent.running).toBe(0)
    expect(Date.parse(silent.lastHeartbeat ?? '')).toBeLessThan(Date.parse(lastHeartbeat ?? ''))
    await workers((w) => w.heartbeat(first))
    expect((await state()).running).toBe(1)
  })

  test('a heartbeat of a clock that was ahead keeps no worker alive forever', async () => {
    await workers((w) => w.heartbeat(second))
    await age(-400 * 86_400)
    const { running, lastHeartbeat } = await state()
    expect(Date.parse(lastHeartbeat ?? '')).toBeLessThan(Date.now() + 86_400_000)
    expect(running).toBe(0)
    await workers((w) => w.heartbeat(first))
    expect((await state()).running).toBe(1)
  })
}
