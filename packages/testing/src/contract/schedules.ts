import { followsSettings, type ServerTiming } from '@netbox-pbs/core'
import { Runs, type ScheduledServer, Schedules } from '@netbox-pbs/core/ports'
import { Effect, Option, Stream } from 'effect'
import { describe, expect, test } from 'vitest'

/** Schedules under test, of which none has been kept yet, and the servers that have some. */
export interface SchedulesUnderTest {
  readonly run: <A, E>(effect: Effect.Effect<A, E, Runs | Schedules>) => Promise<A>
  /** Adds a server to main and returns its id. */
  readonly addServer: (server: {
    readonly name: string
    readonly connected: boolean
    readonly timing: ServerTiming
  }) => Promise<number>
  readonly changeServer: (
    id: number,
    change: { readonly name: string; readonly timing: ServerTiming },
  ) => Promise<unknown>
  readonly removeServer: (id: number) => Promise<unknown>
}

const request = { resources: ['datastores'], servers: null, trigger: 'schedule', user: '' } as const
const mark = { timing: '60 minutes', countedFrom: '2026-05-01T02:00:00Z' }
const later = '2026-05-01T03:00:00Z'

/** The contract of `Schedules`. */
export const schedulesContract = ({ run, addServer, changeServer, removeServer }: SchedulesUnderTest): void => {
  const schedules = <A, E>(use: (schedules: typeof Schedules.Service) => Effect.Effect<A, E>) =>
    run(Effect.flatMap(Schedules, use))
  const runCount = () =>
    run(
      Effect.map(
        Effect.flatMap(Runs, (runs) => runs.list({ limit: 1, offset: 0 })),
        ({ count }) => count,
      ),
    )
  const add = (name: string, timing = followsSettings, connected = true) => addServer({ name, timing, connected })
  const listed = () =>
    schedules((s) => Effect.map(Stream.runCollect(s.servers()), (all): ReadonlyArray<ScheduledServer> => [...all]))
  const of = async (id: number) => (await listed()).find((server) => server.id === id)

  describe('the schedule of the settings', () => {
    test('has no mark before the first look, and then that of the first to look', async () => {
      expect(await schedules((s) => s.settingsMark())).toEqual(Option.none())
      await schedules((s) => s.watch({ serverId: null, ...mark }))
      await schedules((s) => s.watch({ serverId: null, ...mark, countedFrom: later }))
      expect(await schedules((s) => s.settingsMark())).toEqual(Option.some(mark))
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
      expect(await runCount()).toBe((before ?? 0) + 1)
      expect(await schedules((s) => s.settingsMark())).toEqual(Option.some({ ...mark, countedFrom: later }))
    })

    test('counts what is dropped, until a run starts', async () => {
      const at = (minute: number) => `2026-05-01T04:0${minute}:00Z`
      const due = (from: string, to: string) => ({
        ...{ serverId: null, mark: { ...mark, countedFrom: from }, countedFrom: to },
      })
      expect(await schedules((s) => s.drop(due(later, at(1))))).toEqual(Option.some(1))
      expect(await schedules((s) => s.drop(due(later, at(1))))).toEqual(Option.none())
      expect(await schedules((s) => s.drop(due(at(1), at(2))))).toEqual(Option.some(2))
      const start = async (from: string, to: string) =>
        Option.map(await schedules((s) => s.start(due(from, to), request)), ({ dropped }) => dropped)
      expect(await start(at(2), at(3))).toEqual(Option.some(2))
      expect(await start(at(3), at(4))).toEqual(Option.some(0))
    })

    test('starts again with another timing', async () => {
      const now = { timing: '0 2 * * *', countedFrom: '2026-05-02T00:00:00.250000Z' }
      await schedules((s) => s.watch({ serverId: null, ...now }))
      expect(await schedules((s) => s.settingsMark())).toEqual(Option.some(now))
      const due = { serverId: null, mark, countedFrom: later }
      expect(await schedules((s) => s.start(due, request))).toEqual(Option.none())
    })
  })

  describe('the schedules of servers', () => {
    test('begin again from now where a clock that was ahead has left its mark', async () => {
      const serverId = await add('pbs-ahead')
      await schedules((s) => s.watch({ serverId, ...mark, countedFrom: '2027-06-05T02:00:00Z' }))
      await schedules((s) => s.watch({ serverId, ...mark }))
      expect((await of(serverId))?.mark).toEqual(mark)
      await schedules((s) => s.watch({ serverId, ...mark, countedFrom: '2026-05-01T01:59:00Z' }))
      expect((await of(serverId))?.mark).toEqual(mark)
    })

    test('are those of servers whose timing is their own, or was', async () => {
      const follows = await add('pbs-follows')
      const daily = { sync_schedule: '0 3 * * *', sync_interval_minutes: null, sleep_hours: '22:00-02:00' }
      const cron = await add('pbs-cron', daily)
      const never = { ...followsSettings, sync_interval_minutes: 0 }
      const interval = await add('pbs-interval', never, false)
      const kept = { timing: '0 3 * * *', countedFrom: later }
      await schedules((s) => s.watch({ serverId: cron, ...kept }))
      expect(await of(follows)).toBeUndefined()
      expect(await of(cron)).toEqual({ id: cron, name: 'pbs-cron', connected: true, ...daily, mark: kept })
      expect(await of(interval)).toEqual({
        ...{ id: interval, name: 'pbs-interval', connected: false, ...never, mark: null },
      })
      await changeServer(cron, { name: 'pbs-renamed', timing: followsSettings })
      expect(await of(cron)).toEqual({ id: cron, name: 'pbs-renamed', connected: true, ...followsSettings, mark: kept })
    })

    test('are counted apart from each other and from that of the settings', async () => {
      const [one, other] = [await add('pbs-one'), await add('pbs-other')]
      const before = await schedules((s) => s.settingsMark())
      for (const serverId of [one, other]) await schedules((s) => s.watch({ serverId, ...mark }))
      expect(await schedules((s) => s.drop({ serverId: one, mark, countedFrom: later }))).toEqual(Option.some(1))
      expect((await of(one))?.mark).toEqual({ ...mark, countedFrom: later })
      expect((await of(other))?.mark).toEqual(mark)
      expect(await schedules((s) => s.settingsMark())).toEqual(before)
    })

    test('go with their server, and none begins for a server that is gone', async () => {
      const id = await add('pbs-gone', { ...followsSettings, sync_interval_minutes: 5 })
      await schedules((s) => s.watch({ serverId: id, ...mark }))
      await removeServer(id)
      const due = { serverId: id, mark, countedFrom: later }
      expect(await schedules((s) => s.start(due, request))).toEqual(Option.none())
      await schedules((s) => s.watch({ serverId: id, ...mark }))
      expect(await schedules((s) => s.start(due, request))).toEqual(Option.none())
      expect(await schedules((s) => s.drop(due))).toEqual(Option.none())
      expect(await of(id)).toBeUndefined()
    })
  })
}
