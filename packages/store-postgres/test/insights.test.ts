import { type Facts, naturalKey } from '@netbox-pbs/core'
import { Insights, visibleServers } from '@netbox-pbs/core/ports'
import { create, landOnce, serverFacts, serverIdOf } from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { afterAll, expect, test } from 'vitest'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { engines } from './engines.ts'

const hour = 3600
const day = 24 * hour
const now = Math.floor(Date.now() / 1000)
/** The noon with which the present night began, and the night as it is named. */
const noon = Math.floor((now - day / 2) / day) * day + day / 2
const time = (seconds: number) => new Date(seconds * 1000).toJSON().replace('.000Z', 'Z')
const night = (ago: number) => time(noon - ago * day).slice(0, 10)

test.each(engines)('backups are counted by night, with what is not known of them, on $engine', async ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  afterAll(() => runtime.dispose())
  await runtime.runPromise(
    Effect.gen(function* () {
      for (const name of ['a', 'b'])
        yield* landOnce({ resource: 'servers' }, [{ model: 'server', changes: [create('server', serverFacts(name))] }])
      const a = (yield* serverIdOf('a')) ?? 0
      const b = (yield* serverIdOf('b')) ?? 0
      const land = (
        name: string,
        server: number,
        tasks: ReadonlyArray<readonly [number, string, string?]>,
        read: number,
      ) => {
        const rows = tasks.map(([start, outcome, worker_type = 'backup'], nth) => {
          const facts: Facts<'task'> = {
            ...{ server, upid: `UPID:${name}:${nth}`, node: name, worker_type, worker_id: '', user: '' },
            ...{
              starttime: time(start),
              datastore_name: '',
              namespace: '',
              backup_type: '',
              backup_id: '',
              job_type: '',
              job_id: '',
            },
          }
          const endtime = outcome === 'running' ? null : time(start + 60)
          return { facts, values: { endtime, outcome, status: '' } }
        })
        return landOnce(
          { resource: 'tasks', server: name },
          [
            {
              model: 'task',
              changes: rows.map(({ facts }) => create('task', facts)),
              observed: rows.map(({ facts, values }) => ({ key: naturalKey('task', facts), values })),
            },
          ],
          { at: time(read) },
        )
      }
      yield* land(
        'a',
        a,
        [
          ...([
            [noon - 3 * day - hour, 'ok', 'verify'],
            [noon - 2 * day, 'ok'],
            [noon - day - 1, 'error'],
          ] as const),
          ...([
            [noon - day, 'ok'],
            [noon - hour, 'warning'],
            [noon - 1, 'running'],
            [noon, 'ok'],
            [noon - day, 'ok', 'reader'],
          ] as const),
        ],
        now,
      )
      yield* land('b', b, [[noon - day + hour, 'ok']], noon - hour)
      const insights = yield* Insights
      const nights = (request: Partial<Parameters<typeof insights.nights>[0]> = {}) =>
        Effect.map(insights.nights({ filter: {}, limit: 100, offset: 0, ...request }), ({ count, rows }) => ({
          count,
          rows: rows.map((row) => [row.night, row.server.name, row.known, row.ok, row.warning, row.error, row.other]),
        }))
      const { count, rows } = yield* nights()
      expect(count).toBe(60)
      expect(rows.slice(0, 8)).toEqual([
        [night(0), 'a', false, 1, 0, 0, 0],
        [night(0), 'b', false, 0, 0, 0, 0],
        [night(1), 'a', true, 1, 1, 0, 1],
        [night(1), 'b', false, 1, 0, 0, 0],
        [night(2), 'a', true, 1, 0, 1, 0],
        [night(2), 'b', false, 0, 0, 0, 0],
        [night(3), 'a', true, 0, 0, 0, 0],
        [night(3), 'b', false, 0, 0, 0, 0],
      ])
      // Nothing older is known than a task of the fourth night before.
      expect(rows[8]?.slice(0, 3)).toEqual([night(4), 'a', false])
      const failed = { where: [{ field: 'error', lookup: 'gt', values: [0] }] } as const
      expect((yield* nights({ filter: failed })).rows.map(([one]) => one)).toEqual([night(2)])
      const ofOne = yield* Effect.locally(nights({ limit: 1 }), visibleServers, [b])
      expect(ofOne).toEqual({ count: 30, rows: [[night(0), 'b', false, 0, 0, 0, 0]] })
    }),
  )
})
