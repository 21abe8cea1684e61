import { formatTimestamp, noCost, noRows, type Run, runFields } from '@netbox-pbs/core'
import { Runs } from '@netbox-pbs/core/ports'
import { queried } from '@netbox-pbs/testing/contract'
import { Clock, Effect, Layer, Option, Stream } from 'effect'
import { noOutcomes, RunRecord } from './run-record.ts'
import type { World } from './world.ts'

/** A run by the fields of the list. */
const listed = ({ id, status, trigger, mode, user, created, started, completed, cancel_requested }: Run) => ({
  ...{ id, status, trigger, mode, user },
  ...{ created, started, completed, cancel_requested },
})

/** `Runs` in memory. `merged`: whether all that a run staged has landed. */
export const runsLayer = (
  records: Map<number, RunRecord>,
  world: World,
  merged: (id: number) => boolean = () => false,
) => {
  const now = Clock.currentTimeMillis
  const of = (id: number) =>
    Effect.suspend(() => {
      const record = records.get(id)
      return record === undefined ? Effect.dieMessage(`no run ${id}`) : Effect.succeed(record)
    })
  const all = () => [...records.values()]
  const page = <A>(rows: ReadonlyArray<A>, { limit, offset }: { readonly limit: number; readonly offset: number }) => ({
    count: rows.length,
    rows: rows.slice(offset, offset + limit),
  })
  return Layer.succeed(Runs, {
    create: ({ resources, servers, scope_filter = null, trigger, mode = 'full', user }) =>
      Effect.map(now, (millis) => {
        const id = records.size + 1
        const record = new RunRecord(
          { world, merged },
          {
            id,
            status: 'pending',
            resources,
            servers: servers?.map((chosen) => (typeof chosen === 'string' ? chosen : '')) ?? null,
            serverIds: servers?.map((chosen) => (typeof chosen === 'string' ? idOf(world, chosen) : chosen)) ?? null,
            scope_filter,
            trigger,
            mode,
            user,
            created: formatTimestamp(millis),
            started: null,
            completed: null,
            counts: noRows,
            staged: { created: 0, updated: 0, deleted: 0 },
            outcomes: noOutcomes,
            rows_read: 0,
            cost: noCost,
            error: '',
            cancel_requested: false,
          },
        )
        records.set(id, record)
        return record.run
      }),
    get: ({ id }) => Effect.sync(() => Option.map(Option.fromNullable(records.get(id)), ({ run }) => run)),
    list: ({ where = [], order = [], ...range }) =>
      Effect.sync(() => {
        const runs = all().map(({ run }) => run)
        return page(queried(order.length > 0 ? runs : runs.toReversed(), runFields, listed, { where, order }), range)
      }),
    scopes: ({ id, ...range }) =>
      Effect.map(of(id), ({ outcomes }) =>
        page(
          outcomes.filter(({ outcome }) => outcome !== 'unchanged'),
          range,
        ),
      ),
    jobs: ({ id, ...range }) => Effect.map(of(id), ({ jobList }) => page(jobList, range)),
    warnings: ({ id }) => Effect.map(of(id), ({ warnings }) => warnings),
    retryJob: ({ id, serverId, reason }) =>
      Effect.map(of(id), (record) => {
        const job = record.jobs.get(serverId)
        if (job === undefined || job.state === 'ended') return
        Object.assign(job, { state: 'retrying', lastFailure: reason })
        record.retried.push(`${record.nameOf(serverId) ?? 'the gateway'}: ${reason}`)
      }),
    openJobs: ({ before }) =>
      Stream.suspend(() =>
        Stream.fromIterable(
          all()
            .filter(({ isOpen }) => isOpen)
            .flatMap((record) => {
              const created = { serverId: null, since: Date.parse(record.own.created), state: 'expected' as const }
              const jobs = record.jobs.size === 0 ? [created] : [...record.jobs.values()]
              return jobs
                .filter(({ state, since }) => state !== 'ended' && since < Date.parse(before))
                .toSorted((a, b) => (a.serverId ?? 0) - (b.serverId ?? 0))
                .map(({ serverId }) => ({ runId: record.own.id, serverId, server: record.nameOf(serverId) }))
            }),
        ),
      ),
    expectJobs: ({ id, serverIds }) => Effect.zipWith(of(id), now, (record, at) => record.expectJobs(serverIds, at)),
    startJob: ({ id, serverId }) => Effect.zipWith(of(id), now, (record, at) => record.startJob(serverId, at)),
    endJob: ({ id, serverId, error }) =>
      Effect.zipWith(of(id), now, (record, at) => {
        record.endJob(serverId, error, at)
        return { run: record.run, jobsLeft: record.isOpen && record.expected.size > 0 }
      }),
    withoutJobs: ({ before }) =>
      Effect.sync(() =>
        all()
          .filter(({ isOpen, expected, jobs }) => isOpen && expected.size === 0 && jobs.size > 0)
          .filter(({ jobs }) => [...jobs.values()].every(({ since }) => since < Date.parse(before)))
          .map(({ own }) => own.id),
      ),
    end: ({ id, error }) =>
      Effect.zipWith(of(id), now, (record, at) => {
        record.end(error, at)
        return record.run
      }),
    recordUnopened: ({ id, serverId, results }) =>
      Effect.map(of(id), (record) => {
        for (const result of results) record.recordScope(serverId, result)
      }),
    recordScope: ({ id, serverId, result }) => Effect.map(of(id), (record) => record.recordScope(serverId, result)),
    warn: ({ id, warnings }) => Effect.map(of(id), (record) => record.warn(warnings)),
    progress: ({ id, serverId, rowsRead }) =>
      Effect.map(of(id), ({ jobs }) => {
        const job = jobs.get(serverId)
        if (job !== undefined) job.rowsRead = rowsRead
      }),
    requestCancel: ({ id }) =>
      Effect.map(now, (at) => {
        const record = records.get(id)
        record?.requestCancel(at)
        return Option.map(Option.fromNullable(record), ({ run }) => run)
      }),
    cancelRequested: ({ id }) => Effect.sync(() => records.get(id)?.own.cancel_requested ?? false),
  })
}

const idOf = (world: World, name: string): number | null => {
  const id = world.serverId(name)
  return id < 0 ? null : id
}
