import { type EditValues, Runs, Schedules } from '@netbox-pbs/core/ports'
import { type OneByOne, writesOneByOne } from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime, Option, Stream } from 'effect'
import { afterAll, describe, expect, test } from 'vitest'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { engines } from './engines.ts'

const request = { resources: ['datastores'], servers: null, trigger: 'schedule', user: '' } as const
const actor = { user: 'ada', requestId: '00000000-0000-4000-8000-000000000001' }

describe.each(engines)('Schedules on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const schedules = <A, E>(use: (schedules: typeof Schedules.Service) => Effect.Effect<A, E>) =>
    runtime.runPromise(Effect.flatMap(Schedules, use))
  const edits = <A, E>(use: (writes: OneByOne) => Effect.Effect<A, E>) =>
    runtime.runPromise(Effect.flatMap(writesOneByOne, use))
  const runCount = () =>
    runtime.runPromise(
      Effect.map(
        Effect.flatMap(Runs, (r) => r.list({ limit: 1, offset: 0 })),
        (page) => page.count,
      ),
    )
  const add = async (values: EditValues): Promise<number> => {
    const row = { host: 'h', token_id: 'a@pbs!b', endpoint_id: 1, endpoint_state: 'connected', ...values }
    const [id] = await edits((h) => h.create({ model: 'server', rows: [row], actor }))
    return id ?? 0
  }
  const listed = () => schedules((s) => Effect.map(Stream.runCollect(s.servers()), (all) => [...all]))

  afterAll(() => runtime.dispose())

  const mark = { timing: '60 minutes', countedFrom: '2026-05-01T02:00:00Z' }
  const later = '2026-05-01T03:00:00Z'

  test('has no mark before the first look, and then that of the first to look', async () => {
    expect(await schedules((s) => s.settingsMark())).toEqual(Option.none())
    await schedules((s) => s.watch({ serverId: null, ...mark }))
    await schedules((s) => s.watch({ serverId: null, ...mark, countedFrom: later }))
    expect(await schedules((s) => s.settingsMark())).toEqual(Option.some(mark))
  })

  test('begins again from now where a clock that was ahead has left its mark', async () => {
    const serverId = await add({ name: 'pbs-ahead' })
    const marked = async () => (await listed()).find(({ id }) => id === serverId)?.mark
    await schedules((s) => s.watch({ serverId, ...mark, countedFrom: '2027-06-05T02:00:00Z' }))
    await schedules((s) => s.watch({ serverId, ...mark }))
    expect(await marked()).toEqual(mark)
    await schedules((s) => s.watch({ serverId, ...mark, countedFrom: '2026-05-01T01:59:00Z' }))
    expect(await marked()).toEqual(mark)
    await edits((h) => h.remove({ model: 'server', id: serverId, actor }))
  })

  test('lets exactly one of workers that come at once start a due run', async () => {
    const before = await runCount()
    const due = { serverId: null, mark, countedFrom: later }
    const started = await schedules((s) =>
      Effect.all(
        Array.from({ length: 8 }, () => s.start(due, request)),
        { concurrency: 'unbounded' },
      ),
    )
    expect(started.filter(Option.isSome).map(({ value }) => value)).toMatchObject([
      { dropped: 0, run: { status: 'pending', trigger: 'schedule', servers: null } },
    ])
    expect(await runCount()).toBe(before + 1)
    expect(await schedules((s) => s.settingsMark())).toEqual(Option.some({ ...mark, countedFrom: later }))
  })

  test('counts what is dropped, until a run starts', async () => {
    const at = (minute: number) => `2026-05-01T04:0${minute}:00Z`
    const due = (from: string, to: string) => ({
      serverId: null,
      mark: { ...mark, countedFrom: from },
      countedFrom: to,
    })
    expect(await schedules((s) => s.drop(due(later, at(1))))).toEqual(Option.some(1))
    expect(await schedules((s) => s.drop(due(later, at(1))))).toEqual(Option.none())
    expect(await schedules((s) => s.drop(due(at(1), at(2))))).toEqual(Option.some(2))
    const start = (from: string, to: string) =>
      schedules((s) =>
        Effect.map(
          s.start(due(from, to), request),
          Option.map(({ dropped }) => dropped),
        ),
      )
    expect(await start(at(2), at(3))).toEqual(Option.some(2))
    expect(await start(at(3), at(4))).toEqual(Option.some(0))
  })

  test('starts again with another timing', async () => {
    await schedules((s) => s.watch({ serverId: null, timing: '0 2 * * *', countedFrom: '2026-05-02T00:00:00.250000Z' }))
    const now = { timing: '0 2 * * *', countedFrom: '2026-05-02T00:00:00.250000Z' }
    expect(await schedules((s) => s.settingsMark())).toEqual(Option.some(now))
    expect(await schedules((s) => s.start({ serverId: null, mark, countedFrom: later }, request))).toEqual(
      Option.none(),
    )
  })

  test('lists the servers whose timing is their own, or was', async () => {
    await add({ name: 'follows' })
    const cron = await add({ name: 'cron', sync_schedule: '0 3 * * *' })
    const interval = await add({
      name: 'interval',
      sync_interval_minutes: 0,
      endpoint_id: null,
      endpoint_state: 'none',
    })
    await schedules((s) => s.watch({ serverId: cron, timing: '0 3 * * *', countedFrom: later }))
    const expected = {
      cron: {
        id: cron,
        name: 'cron',
        connected: true,
        sync_schedule: '0 3 * * *',
        sync_interval_minutes: null,
        mark: { timing: '0 3 * * *', countedFrom: later },
      },
      interval: {
        id: interval,
        name: 'interval',
        connected: false,
        sync_schedule: '',
        sync_interval_minutes: 0,
        mark: null,
      },
    }
    expect(await listed()).toEqual([expected.cron, expected.interval])
    await edits((h) => h.update({ model: 'server', id: cron, values: { sync_schedule: '', name: 'renamed' }, actor }))
    expect(await listed()).toEqual([expected.interval, { ...expected.cron, name: 'renamed', sync_schedule: '' }])
  })

  test('forgets a server that is deleted, and begins nothing for one that is gone', async () => {
    const id = await add({ name: 'gone', sync_interval_minutes: 5 })
    await schedules((s) => s.watch({ serverId: id, ...mark }))
    await edits((h) => h.remove({ model: 'server', id, actor }))
    await schedules((s) => s.watch({ serverId: id, ...mark }))
    expect(await schedules((s) => s.start({ serverId: id, mark, countedFrom: later }, request))).toEqual(Option.none())
    expect((await listed()).map(({ name }) => name)).not.toContain('gone')
  })
})
