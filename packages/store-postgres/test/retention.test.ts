import { Retention } from '@netbox-pbs/core/ports'
import { retentionTurnsContract } from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { sql } from 'kysely'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { Database } from '../src/database/database.ts'
import { retentionLayerWith } from '../src/retention/retention.ts'
import { engines } from './engines.ts'

describe.each(engines)('Retention on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(retentionLayerWith({ limit: 3 }), migrated))
  const retention = <A, E>(use: (retention: typeof Retention.Service) => Effect.Effect<A, E>) =>
    runtime.runPromise(Effect.flatMap(Retention, use))
  const rows = <A>(text: string): Promise<ReadonlyArray<A>> =>
    runtime.runPromise(
      Effect.flatMap(Database, (database) =>
        database.query('testing', async (db) => (await sql.raw<A>(text).execute(db)).rows),
      ),
    )
  const before = '2026-05-01T00:00:00Z'
  const prune = (what: 'changes' | 'runs') => retention((r) => r.prune({ what, before }))
  const pruneAll = async (what: 'changes' | 'runs') => {
    const parts: Array<number> = []
    for (;;) {
      const { removed, more } = await prune(what)
      parts.push(removed)
      if (!more) return parts
    }
  }

  afterAll(() => runtime.dispose())
  beforeEach(() => rows('truncate changes, runs cascade'))

  const change = (id: number, time: string) => `(${id}, '${time}', 'update', 'server', 1, 'pbs-a', 1, 'ada')`
  const changes = (...values: ReadonlyArray<string>) =>
    rows(`insert into changes (id, time, action, model, object_id, title, run_id, user_name)
      overriding system value values ${values.join(', ')}`)

  test('removes old changes three at a time, the oldest first', async () => {
    const old = Array.from({ length: 7 }, (_, n) => change(100 - n, `2026-04-0${n + 1}T00:00:00Z`))
    await changes(...old, change(1, before), change(2, '2026-06-01T00:00:00Z'))
    expect(await prune('changes')).toEqual({ removed: 3, more: true })
    expect(await rows('select id from changes where id > 2 order by id')).toEqual(
      [94, 95, 96, 97].map((id) => ({ id })),
    )
    expect(await pruneAll('changes')).toEqual([3, 1])
    expect(await rows('select id from changes order by id')).toEqual([{ id: 1 }, { id: 2 }])
    expect(await pruneAll('changes')).toEqual([0])
  })

  test('removes what a server was asked on old days', async () => {
    await rows("insert into servers (name, host, token_id, presence) values ('cost', 'h', 'a@pbs!b', 'manual')")
    await rows(`insert into server_costs (server_id, day, requests)
      select id, date '2026-04-27' + n, 1 from servers, generate_series(0, 4) n where name = 'cost'`)
    expect(await retention((r) => r.prune({ what: 'costs', before }))).toEqual({ removed: 3, more: true })
    expect(await retention((r) => r.prune({ what: 'costs', before }))).toEqual({ removed: 1, more: false })
    expect(await rows("select to_char(day, 'YYYY-MM-DD') as day from server_costs")).toEqual([{ day: '2026-05-01' }])
  })

  const run = (id: number, completed: string | null) =>
    rows(`insert into runs (id, status, resources, trigger, started_by, created, completed) overriding system value
      values (${id}, '${completed === null ? 'running' : 'completed'}', '["jobs"]', 'manual', 'ada', '2026-01-01T00:00:00Z', ${completed === null ? 'null' : `'${completed}'`})`)
  const children = async (id: number, count: number) => {
    const of = `from generate_series(1, ${count}) n`
    await rows(`insert into run_jobs (run_id, server_id) select ${id}, n ${of}`)
    await rows(
      `insert into run_warnings (run_id, digest, code, message, count) select ${id}, n::text, 'c', 'm', 1 ${of}`,
    )
    await rows(`insert into run_scopes (run_id, scope_key, scope, outcome, created, updated, deleted, unchanged, held_back, started, ended)
      select ${id}, n::text, '{}', 'landed', 0, 0, 0, 0, 0, now(), now() ${of}`)
  }
  const counts = () =>
    rows(`select (select count(*) from runs) as runs, (select count(*) from run_jobs) as jobs,
      (select count(*) from run_warnings) as warnings, (select count(*) from run_scopes) as scopes`)

  test('removes a large run in parts, and the run itself last', async () => {
    await run(1, '2026-04-01T00:00:00Z')
    await children(1, 7)
    const seen: Array<unknown> = []
    for (let more = true; more; ) {
      more = (await prune('runs')).more
      seen.push(...(await counts()))
    }
    const at = (runs: number, scopes: number, warnings: number, jobs: number) => ({ runs, jobs, warnings, scopes })
    expect(seen).toEqual([
      at(1, 4, 7, 7),
      at(1, 1, 7, 7),
      at(1, 0, 4, 7),
      at(1, 0, 1, 7),
      at(1, 0, 0, 4),
      at(1, 0, 0, 1),
      at(0, 0, 0, 0),
    ])
  })

  test('keeps runs that go on, however old, and those that ended later, with what is below them', async () => {
    await run(1, null)
    await run(2, before)
    await run(3, '2026-04-30T23:59:59Z')
    for (const id of [1, 2, 3]) await children(id, 2)
    expect(await pruneAll('runs')).toEqual([1])
    expect(await rows('select id from runs order by id')).toEqual([{ id: 1 }, { id: 2 }])
    expect(await counts()).toEqual([{ runs: 2, jobs: 4, warnings: 4, scopes: 4 }])
  })

  test('finds what is old by an index on the time', async () => {
    await rows(
      "insert into runs (resources, trigger, started_by, completed) select '[]', 'manual', '', now() from generate_series(1, 3000)",
    )
    await rows(
      `insert into changes (time, action, model, title, run_id, user_name) select now(), 'update', 'server', '', 1, '' from generate_series(1, 3000)`,
    )
    await rows('analyze runs')
    await rows('analyze changes')
    const plan = async (query: string) => JSON.stringify(await rows(`explain (format json) ${query}`))
    expect(await plan(`select id from changes where time < '${before}' order by time, id limit 3`)).toContain(
      'changes_time',
    )
    expect(await plan(`select id from runs where completed < '${before}' order by completed, id limit 50`)).toContain(
      'runs_completed',
    )
  })

  retentionTurnsContract({ run: (effect) => runtime.runPromise(effect) })
})
