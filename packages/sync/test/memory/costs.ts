import { addCosts, noCost, type RequestCost } from '@netbox-pbs/core'
import { RequestCosts } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'
import type { RunRecord } from './run-record.ts'
import type { World } from './world.ts'

/** What servers were asked, by id and day. */
export type Costs = Map<number, Map<string, RequestCost>>

/** `RequestCosts` in memory. */
export const costsLayer = (costs: Costs, runs: ReadonlyMap<number, RunRecord>, world: World) =>
  Layer.succeed(RequestCosts, {
    record: ({ runId, serverId, day, costs: told }) =>
      Effect.sync(() => {
        for (const { server, run, requests, bytes, millis, most_in_flight } of told) {
          const id = serverId ?? world.serverId(server)
          if (!world.rows.server.has(id)) continue
          const cost = { requests, bytes, millis, most_in_flight }
          const job = runs.get(Number(run))?.jobs.get(Number(run) === runId ? serverId : id)
          if (job !== undefined) job.cost = addCosts(job.cost, cost)
          const days = costs.get(id) ?? new Map<string, RequestCost>()
          costs.set(id, days.set(day, addCosts(days.get(day) ?? noCost, cost)))
        }
      }),
    days: ({ serverId, limit, offset }) =>
      Effect.sync(() => {
        if (!world.rows.server.has(serverId)) return { count: 0, rows: [] }
        const days = [...(costs.get(serverId) ?? [])].toSorted(([a], [b]) => (a < b ? 1 : -1))
        const rows = days.slice(offset, offset + limit).map(([day, cost]) => ({ day, ...cost }))
        return { count: days.length, rows }
      }),
    reached: ({ day, requests }) =>
      Effect.sync(
        () => new Set([...costs].flatMap(([id, days]) => ((days.get(day)?.requests ?? 0) >= requests ? [id] : []))),
      ),
    lastRun: ({ serverId }) =>
      Effect.sync(() => {
        const asked = [...runs]
          .toReversed()
          .flatMap(([runId, { jobs }]) => [...jobs.values()].map(({ serverId, cost }) => ({ runId, serverId, cost })))
          .find((job) => job.serverId === serverId && job.cost.requests > 0)
        return Option.map(Option.fromNullable(asked), ({ runId, cost }) => ({ runId, cost }))
      }),
  })
