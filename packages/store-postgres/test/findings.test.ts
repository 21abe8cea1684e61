import { type Finding, nextHealth, type ServerHealth } from '@netbox-pbs/core'
import { type FindingFilter, Findings, InventoryWrites, ServerObservations } from '@netbox-pbs/core/ports'
import {
  create,
  datastoreFacts,
  groupFacts,
  jobFacts,
  landOnce,
  rootOf,
  serverFacts,
  serverIdOf,
  snapshotFacts,
} from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime, Option } from 'effect'
import { sql } from 'kysely'
import { afterAll, describe, expect, test } from 'vitest'
import { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { engines } from './engines.ts'

const minute = 60
const start = Date.parse('2026-06-01T12:00:00Z') / 1000
const text = (seconds: number) => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
const actor = { user: 'ada', requestId: '00000000-0000-4000-8000-000000000001' }

describe.each(engines)('findings on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  type Services = Layer.Layer.Success<typeof inventoryLayer> | Database
  const run = <A, E>(effect: Effect.Effect<A, E, Services>) => runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  let now = start
  /** The clock goes on, and a worker judges. */
  const evaluate = (after = minute) =>
    Effect.flatMap(Findings, (findings) => {
      now += after
      return findings.evaluate({ now, every: 60, latest: now + 300, afterRuns: true, byWorker: true })
    })
  const listed = (filter: FindingFilter = {}) =>
    Effect.map(
      Effect.flatMap(Findings, (findings) => findings.list({ filter, limit: 100, offset: 0 })),
      ({ rows }) => rows,
    )
  const of = (server: string, more: FindingFilter = {}) =>
    Effect.map(listed(more), (rows) => rows.filter((row) => row.server?.name === server))
  const short = ({ kind, state, since, parent, closed_by }: Finding) => [
    kind,
    state,
    since,
    parent?.title ?? null,
    closed_by,
  ]

  const contact = (serverId: number, previous: ServerHealth | null, code: string | null) => {
    const at = text(now)
    const contacted = { at, runId: 1, checked: true } as const
    const health =
      code === null
        ? nextHealth(previous, { ...contacted, _tag: 'answered', latencyMs: 5, clockOffsetSeconds: 0, listed: true })
        : nextHealth(previous, { ...contacted, _tag: 'failed', code, message: 'no route', presentedFingerprint: null })
    return Effect.as(
      Effect.flatMap(ServerObservations, (observations) => observations.record({ serverId, health })),
      health,
    )
  }
  const serverWith = (name: string) =>
    Effect.gen(function* () {
      yield* landOnce({ resource: 'servers' }, [{ model: 'server', changes: [create('server', serverFacts(name))] }])
      return (yield* serverIdOf(name)) ?? 0
    })
  const landStores = (server: string, changes: Parameters<typeof landOnce>[1][number]['changes']) =>
    landOnce({ resource: 'datastores', server }, [{ model: 'datastore', changes }], { at: text(now) })
  const execute = (statement: string) =>
    Effect.flatMap(Database, (database) => database.query('preparing', (db) => sql.raw(statement).execute(db)))

  test('open with their cause, and close by the observation that shows it gone', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* serverWith('pbs-a')
        const well = yield* contact(server, null, null)
        yield* evaluate()
        expect(yield* of('pbs-a')).toEqual([])

        now += minute
        const down = yield* contact(server, well, 'unreachable')
        const since = text(now)
        yield* evaluate()
        const [finding] = yield* of('pbs-a')
        expect(finding).toEqual({
          ...{
            id: expect.any(Number),
            kind: 'server_unreachable',
            severity: 'critical',
            state: 'open',
            model: 'server',
          },
          ...{
            object_id: server,
            title: 'pbs-a',
            server: { id: server, name: 'pbs-a' },
            parent: null,
            since,
            count: 1,
          },
          sentence: 'pbs-a cannot be reached: no route',
          step: expect.stringContaining('pbs-a.example.com'),
          ...{ opened: text(now), last_seen: text(now), closed: null, closed_by: '' },
          ...{ snoozed_until: null, snooze_reason: '', snoozed_by: '', snoozed_at: null },
        })

        // Judged again without news: it was seen again, and its row stays as it is.
        const written = yield* execute('select xmin::text from findings')
        expect(yield* evaluate()).toEqual(Option.some({ opened: 0, closed: 0 }))
        expect((yield* execute('select xmin::text from findings')).rows).toEqual(written.rows)
        expect((yield* of('pbs-a'))[0]?.last_seen).toBe(text(now))

        const seen = text(now)
        now += minute
        yield* contact(server, down, null)
        const answered = text(now)
        yield* evaluate()
        expect(yield* of('pbs-a')).toEqual([
          {
            ...finding,
            state: 'closed',
            last_seen: seen,
            closed: text(now),
            closed_by: `pbs-a answered at ${answered}.`,
          },
        ])
      }),
    )
  })

  test('is due once a minute, and when a run has ended', async () => {
    await run(
      Effect.gen(function* () {
        yield* evaluate()
        const done = { opened: 0, closed: 0 }
        expect(yield* evaluate(59)).toEqual(Option.none())
        expect(yield* evaluate(1)).toEqual(Option.some(done))
        yield* execute(
          `insert into runs (resources, trigger, started_by, completed) values ('[]', 'manual', 'ada', now())`,
        )
        expect(yield* evaluate(1)).toEqual(Option.some(done))
        expect(yield* evaluate(1)).toEqual(Option.none())
        // A clock that was ahead and was set back.
        expect(yield* evaluate(-3600)).toEqual(Option.some(done))
        now += 3600
        yield* evaluate()
      }),
    )
  })

  test('of what lies on a server that went away keep, and open only with news of it', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* serverWith('pbs-b')
        const well = yield* contact(server, null, null)
        const off = datastoreFacts(server, 'vault', { maintenance: 'offline' })
        yield* landStores('pbs-b', [create('datastore', datastoreFacts(server, 'tank')), create('datastore', off)])
        yield* execute(`insert into datastore_observations (server_id, datastore_id, used_bytes, total_bytes)
          select server_id, id, 96, 100 from datastores where server_id = ${server}`)
        yield* landOnce({ resource: 'jobs', server: 'pbs-b', job_type: 'verify' }, [
          { model: 'job', changes: [create('job', jobFacts(server, 'v'))] },
        ])
        const noted = text(now)
        const full = (parent: string | null) => ['datastore_nearly_full', 'open', noted, parent, '']
        const unreadable = (parent: string | null) => ['datastore_unreadable', 'open', noted, parent, '']
        yield* evaluate()
        expect((yield* of('pbs-b')).map(short)).toEqual([full(null), unreadable(null), full(null)])

        now += minute
        const down = yield* contact(server, well, 'timeout')
        const gone = text(now)
        // A failing job that is seen only now, when nothing of its server is known.
        yield* execute(
          `update job_observations set health = 'failing', health_since = '${gone}' where server_id = ${server}`,
        )
        yield* evaluate()
        const outage = ['server_unreachable', 'open', gone, null, '']
        expect((yield* of('pbs-b')).map(short)).toEqual([full('pbs-b'), unreadable('pbs-b'), full('pbs-b'), outage])

        now += minute
        yield* contact(server, down, null)
        const answered = `pbs-b answered at ${text(now)}.`
        yield* evaluate()
        expect((yield* of('pbs-b')).map(short)).toEqual([
          full(null),
          unreadable(null),
          full(null),
          ['job_failing', 'open', gone, null, ''],
          ['server_unreachable', 'closed', gone, null, answered],
        ])
      }),
    )
  })

  test('close when their object is gone, and keep its name', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* serverWith('pbs-c')
        yield* contact(server, null, 'unreachable')
        yield* evaluate()
        yield* (yield* InventoryWrites).remove({ model: 'server', rows: [{ id: server }], actor })
        yield* evaluate()
        expect((yield* of('pbs-c')).map(short)).toEqual([
          ['server_unreachable', 'closed', expect.any(String), null, 'Its object is gone.'],
        ])
      }),
    )
  })

  test('are snoozed until a time, with a reason, and the change log has it', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* serverWith('pbs-d')
        yield* contact(server, null, 'unreachable')
        yield* evaluate()
        const [finding] = yield* of('pbs-d')
        const id = finding?.id ?? 0
        const findings = yield* Findings
        const snooze = (until: string | null) => findings.snooze({ id, until, reason: 'moving house', actor })
        const until = '2999-01-01T00:00:00Z'
        const snoozed = Option.getOrThrow(yield* snooze(until))
        expect(snoozed).toMatchObject({
          state: 'snoozed',
          snoozed_until: until,
          snooze_reason: 'moving house',
          snoozed_by: 'ada',
        })
        expect(yield* listed({ where: [{ field: 'state', lookup: 'exact', values: ['snoozed'] }] })).toEqual([snoozed])
        expect(
          (yield* execute(`select action, object_id, before, after from changes where model = 'finding'`)).rows,
        ).toEqual([
          {
            ...{ action: 'update', object_id: id, before: { snoozed_until: null, snooze_reason: '', snoozed_by: '' } },
            after: { snoozed_until: until, snooze_reason: 'moving house', snoozed_by: 'ada' },
          },
        ])
        // A judgement leaves it snoozed; a time that has passed does not.
        yield* evaluate()
        expect((yield* of('pbs-d'))[0]?.state).toBe('snoozed')
        expect(Option.getOrThrow(yield* snooze('2000-01-01T00:00:00Z')).state).toBe('open')
        expect(Option.getOrThrow(yield* snooze(null))).toMatchObject({
          state: 'open',
          snoozed_until: null,
          snooze_reason: '',
          snoozed_at: null,
        })
        expect(yield* findings.snooze({ id: 999_999, until, reason: '', actor })).toEqual(Option.none())
        yield* (yield* InventoryWrites).remove({ model: 'server', rows: [{ id: server }], actor })
        yield* evaluate()
        expect(yield* Effect.flip(snooze(until))).toMatchObject({ _tag: 'FindingClosed' })
      }),
    )
  })

  test('of workers that are silent are found by another process, and close when a worker judges', async () => {
    await run(
      Effect.gen(function* () {
        yield* evaluate()
        yield* execute(
          `insert into workers (id, name, heard_at) values (gen_random_uuid(), 'lost', '2026-06-01T12:00:00Z')`,
        )
        const watch = (after: number) =>
          Effect.flatMap(Findings, (findings) => {
            now += after
            return findings.evaluate({ now, every: 180, latest: now + 300, afterRuns: false, byWorker: false })
          })
        const silent = () => listed({ where: [{ field: 'kind', lookup: 'exact', values: ['workers_silent'] }] })
        expect(yield* watch(179)).toEqual(Option.none())
        yield* watch(1)
        expect(yield* silent()).toMatchObject([
          { state: 'open', since: '2026-06-01T12:00:00Z', model: null, object_id: null, server: null },
        ])
        yield* evaluate()
        expect(yield* silent()).toMatchObject([{ state: 'closed', closed_by: 'A worker reported.' }])
        // Before a worker has judged for the first time there is nothing to watch.
        yield* execute('update finding_evaluations set evaluated = null')
        expect(yield* watch(600)).toEqual(Option.none())
      }),
    )
  })

  test('of guests that are late are one each, or one of their datastore when they are ten', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* serverWith('pbs-e')
        const well = yield* contact(server, null, null)
        yield* landStores('pbs-e', [create('datastore', datastoreFacts(server, 'tank'))])
        const ids = Array.from({ length: 10 }, (_, nth) => `10${nth}`)
        const backup = '2026-05-30T10:00:00Z'
        const late = '2026-05-31T12:00:00Z'
        const root = rootOf('pbs-e')
        const land = (of: ReadonlyArray<string>, time: string) =>
          landOnce(
            root,
            [
              {
                model: 'group',
                changes: time === backup ? of.map((id) => create('group', groupFacts(server, id))) : [],
              },
              {
                model: 'snapshot',
                changes: of.map((id) => create('snapshot', snapshotFacts(server, id, time, { finished: true }))),
              },
            ],
            { at: text(now) },
          )
        const open = () =>
          Effect.map(of('pbs-e', { where: [{ field: 'state', lookup: 'exact', values: ['open'] }] }), (rows) =>
            rows.map(({ kind, since, count, parent }) => [kind, since, count, parent?.title ?? null]),
          )
        yield* land(ids.slice(0, 9), backup)
        yield* evaluate()
        expect(yield* open()).toEqual(ids.slice(0, 9).map(() => ['guest_late', late, 1, null]))
        yield* land(ids.slice(9), backup)
        yield* evaluate()
        expect(yield* open()).toEqual([
          ...ids.slice(0, 9).map(() => ['guest_late', late, 1, 'tank on pbs-e']),
          ['guests_late', late, 10, null],
        ])

        // Its server goes away: nothing of it closes, and nothing opens below it.
        now += minute
        const down = yield* contact(server, well, 'unreachable')
        const gone = text(now)
        yield* evaluate()
        expect((yield* open()).filter(([, , , parent]) => parent === null)).toEqual([
          ['server_unreachable', gone, 1, null],
        ])
        yield* contact(server, down, null)

        // A backup within the objective ends its own lateness, and that of ten.
        yield* land(ids.slice(0, 1), text(Math.floor(Date.now() / 1000) - 60))
        yield* evaluate()
        expect(yield* open()).toEqual(ids.slice(1).map(() => ['guest_late', late, 1, null]))
      }),
    )
  })
})
