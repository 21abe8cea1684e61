import { type Facts, naturalKey, type Observations } from '@netbox-pbs/core'
import { Branches, InventoryLists } from '@netbox-pbs/core/ports'
import {
  change,
  create,
  jobFacts,
  landOnce,
  type OneByOne,
  oneByOne,
  serverFacts,
  serverIdOf,
  writesOneByOne,
} from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { sql } from 'kysely'
import { afterAll, describe, expect, test } from 'vitest'
import { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { pruneTasks } from '../src/retention/retention.ts'
import { verifyStored } from '../src/verification/verify.ts'
import { actor, newBranch } from './contract/branching.ts'
import { engines } from './engines.ts'

const at = (time: string) => `2026-06-${time}:00Z`

/** A run of a job as a task, ten minutes long. */
const task = (server: number, start: string, status: string, more: Partial<Facts<'task'>> = {}) => {
  const facts: Facts<'task'> = {
    ...{
      server,
      upid: `UPID:${start}:${more.job_type ?? 'verify'}`,
      node: 'pbs1',
      worker_type: 'verificationjob',
      worker_id: 'tank:v',
    },
    ...{
      user: 'root@pam',
      starttime: at(start),
      datastore_name: 'tank',
      namespace: '',
      backup_type: '',
      backup_id: '',
    },
    ...{ job_type: 'verify', job_id: 'v', ...more },
  }
  const values: Observations<'task'> = {
    endtime: at(start.replace(':00', ':10')),
    outcome: status === 'OK' ? 'ok' : 'error',
    status,
  }
  return { facts, values }
}

describe.each(engines)('the health of jobs on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const run = <A, E>(effect: Effect.Effect<A, E, Layer.Layer.Success<typeof inventoryLayer> | Database>) =>
    runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  const rows = <A>(text: string) =>
    Effect.flatMap(Database, (database) =>
      database.query('asking', async (db) => (await sql.raw<A>(text).execute(db)).rows),
    )
  const landTasks = (server: string, read: string, ...tasks: ReadonlyArray<ReturnType<typeof task>>) =>
    landOnce(
      { resource: 'tasks', server },
      [
        {
          model: 'task',
          changes: tasks.map(({ facts }) => create('task', facts)),
          observed: tasks.map(({ facts, values }) => ({ key: naturalKey('task', facts), values })),
        },
      ],
      { at: at(read) },
    )
  const landJobs = (server: string, read: string, changes: Parameters<typeof landOnce>[1][number]['changes']) =>
    landOnce({ resource: 'jobs', server, job_type: 'verify' }, [{ model: 'job', changes }], { at: at(read) })
  const serverWith = (name: string) =>
    Effect.gen(function* () {
      yield* landOnce({ resource: 'servers' }, [
        { model: 'server', changes: [create('server', serverFacts(name, { timezone: 'Europe/Vienna' }))] },
      ])
      return (yield* serverIdOf(name)) ?? 0
    })
  const healthOf = (server: number, job_id = 'v') =>
    Effect.map(
      rows<object>(`select o.health, o.health_since, o.due_at, o.missed_runs, o.failed_runs, o.first_error, o.last_good_run
        from jobs j join job_observations o on o.server_id = j.server_id and o.job_id = j.id
        where j.server_id = ${server} and j.job_id = '${job_id}'`),
      ([row]) => row,
    )
  const fine = { health: 'ok', health_since: null, missed_runs: 0, failed_runs: 0, first_error: '' }

  test('follows its schedule and its tasks', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* serverWith('pbs-a')
        const facts = jobFacts(server, 'v', { schedule: '2:00' })
        yield* landJobs('pbs-a', '01T12:00', [create('job', facts)])
        const waiting = { ...fine, health: 'unknown', due_at: at('02T00:00'), last_good_run: null }
        expect(yield* healthOf(server)).toEqual(waiting)
        yield* landTasks('pbs-a', '01T13:00')
        expect(yield* healthOf(server)).toEqual({ ...waiting, health: 'waiting' })

        yield* landTasks('pbs-a', '02T12:00', task(server, '02T00:00', 'OK'))
        const ran = { ...fine, due_at: at('03T00:00'), last_good_run: at('02T00:00') }
        expect(yield* healthOf(server)).toEqual(ran)
        const written = yield* rows<object>('select xmin::text from job_observations')
        yield* landTasks('pbs-a', '02T12:30')
        expect(yield* rows<object>('select xmin::text from job_observations')).toEqual(written)

        yield* landTasks('pbs-a', '05T12:00')
        expect(yield* healthOf(server)).toEqual({
          ...ran,
          health: 'missed',
          health_since: at('03T00:00'),
          missed_runs: 3,
        })

        yield* landTasks('pbs-a', '05T13:30', task(server, '05T13:00', 'no space'))
        const failed = { health: 'failing', health_since: at('05T13:00'), first_error: 'no space' }
        expect(yield* healthOf(server)).toEqual({ ...ran, ...failed, failed_runs: 1, due_at: at('06T00:00') })
        yield* landTasks('pbs-a', '06T12:00', task(server, '06T00:00', 'still none'))
        expect(yield* healthOf(server)).toEqual({ ...ran, ...failed, failed_runs: 2, due_at: at('07T00:00') })

        const listed = yield* (yield* InventoryLists).list({
          model: 'job',
          filters: [{ field: 'health', lookup: 'exact', values: ['failing'] }],
          search: null,
          order: [{ field: 'health_since', descending: true }],
          page: { _tag: 'offset', limit: 10, offset: 0 },
        })
        expect(listed).toMatchObject({
          count: 1,
          rows: [{ job_id: 'v', ...failed, failed_runs: 2, missed_runs: 0, due_at: at('07T00:00') }],
        })

        yield* landTasks('pbs-a', '07T12:00', task(server, '07T00:00', 'OK'))
        expect(yield* healthOf(server)).toEqual({ ...ran, due_at: at('08T00:00'), last_good_run: at('07T00:00') })
        // Its server was not read since it was due, which was long ago: nothing is known of it.
        const [row] = (yield* (yield* InventoryLists).list({
          ...{ model: 'job', filters: [], search: null, order: [] },
          page: { _tag: 'offset', limit: 10, offset: 0 },
        })).rows
        expect(row).toMatchObject({ health: 'unknown', health_since: at('08T00:00') })
      }),
    )
  })

  test('counts from the time of a new schedule on, and is off when it is disabled', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* serverWith('pbs-b')
        const facts = jobFacts(server, 'v', { schedule: 'monthly' })
        yield* landJobs('pbs-b', '01T12:00', [create('job', facts)])
        yield* landTasks('pbs-b', '20T12:00', task(server, '02T00:00', 'OK'))
        const [job] = yield* rows<{ id: number }>(`select id from jobs where server_id = ${server}`)
        const hourly = { ...facts, schedule: 'hourly' }
        yield* landJobs('pbs-b', '20T12:30', [change('job', job?.id ?? 0, facts, { schedule: 'hourly' })])
        const due = { ...fine, due_at: at('20T13:00'), last_good_run: at('02T00:00') }
        expect(yield* healthOf(server)).toEqual(due)
        yield* landTasks('pbs-b', '20T14:30')
        const missed = { ...due, health: 'missed', health_since: at('20T13:00'), missed_runs: 2 }
        expect(yield* healthOf(server)).toEqual(missed)
        yield* landJobs('pbs-b', '20T15:30', [change('job', job?.id ?? 0, hourly, { disable: true })])
        expect(yield* healthOf(server)).toEqual({ ...due, health: 'off' })
      }),
    )
  })

  test('takes the tasks of a place for its one prune job, and what PBS says where tasks name no job', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* serverWith('pbs-c')
        const prune = (job_id: string, namespace: string) =>
          jobFacts(server, job_id, { job_type: 'prune', namespace, schedule: '2:00' })
        const [one, two, three] = [prune('one', 'a'), prune('two', 'b'), prune('three', 'b')]
        const told = {
          last_run_state: 'error',
          last_run_error: 'by PBS',
          last_run_endtime: at('02T00:10'),
          next_run: null,
        }
        yield* landOnce(
          { resource: 'jobs', server: 'pbs-c', job_type: 'prune' },
          [
            {
              model: 'job',
              changes: [one, two, three].map((facts) => create('job', facts)),
              observed: [{ key: naturalKey('job', three), values: told }],
            },
          ],
          { at: at('01T12:00') },
        )
        const pruned = (namespace: string) =>
          task(server, '02T00:00', 'OK', {
            ...{ upid: `UPID:${namespace}`, worker_type: 'prunejob', worker_id: `tank:${namespace}`, namespace },
            ...{ job_type: 'prune', job_id: '' },
          })
        yield* landTasks('pbs-c', '02T12:00', pruned('a'), pruned('b'))
        expect(yield* healthOf(server, 'one')).toMatchObject({ health: 'ok', last_good_run: at('02T00:00') })
        expect(yield* healthOf(server, 'two')).toMatchObject({ health: 'missed', last_good_run: null })
        expect(yield* healthOf(server, 'three')).toMatchObject({ health: 'failing', first_error: 'by PBS' })
      }),
    )
  })

  /** Compares every stored health with what follows from the rows. */
  const expectVerified = Effect.gen(function* () {
    const [result] = yield* verifyStored({ only: ['job_observations.health'] })
    expect(result).toMatchObject({ different: 0, differences: [], unknown: 0 })
    return result?.rows ?? 0
  })
  const edit = (of: OneByOne, id: number, values: Parameters<OneByOne['update']>[0]['values']) =>
    of.update({ model: 'job', id, values, actor })
  const jobIn = (server: number, job_id = 'v') =>
    Effect.map(
      rows<{ id: number }>(`select id from jobs where server_id = ${server} and job_id = '${job_id}'`),
      ([row]) => row?.id ?? 0,
    )

  test('follows edits, merges, reverts, the time zone of the server and the removal of old tasks', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* serverWith('pbs-d')
        const facts = jobFacts(server, 'v', { schedule: '2:00' })
        yield* landJobs('pbs-d', '01T12:00', [create('job', facts)])
        yield* landTasks(
          'pbs-d',
          '03T12:00',
          task(server, '02T00:00', 'no space'),
          task(server, '03T00:00', 'no space'),
        )
        const failing = { health: 'failing', health_since: at('02T00:00'), failed_runs: 2, first_error: 'no space' }
        const due = (due_at: string) => ({ ...failing, due_at, missed_runs: 0, last_good_run: null })
        expect(yield* healthOf(server)).toEqual(due(at('04T00:00')))
        const id = yield* jobIn(server)
        const main = yield* writesOneByOne

        yield* edit(main, id, { disable: true })
        expect(yield* healthOf(server)).toMatchObject({ health: 'off' })
        yield* edit(main, id, { disable: false })
        expect(yield* healthOf(server)).toEqual(due(at('04T00:00')))

        const branches = yield* Branches
        const branch = yield* newBranch('off', 'operator')
        yield* edit(oneByOne(branches.overlay({ id: branch.id }).writes), id, { disable: true })
        expect(yield* healthOf(server)).toMatchObject({ health: 'failing' })
        const merging = { by: actor, at: at('03T13:00'), approval: false }
        yield* branches.merge({ id: branch.id, commit: false, ...merging })
        expect(yield* healthOf(server)).toMatchObject({ health: 'failing' })
        yield* branches.merge({ id: branch.id, commit: true, ...merging })
        expect(yield* healthOf(server)).toMatchObject({ health: 'off' })
        yield* edit(main, id, { disable: false })

        yield* landOnce({ resource: 'servers' }, [
          {
            model: 'server',
            changes: [
              change('server', server, serverFacts('pbs-d', { timezone: 'Europe/Vienna' }), { timezone: 'Asia/Tokyo' }),
            ],
          },
        ])
        expect(yield* healthOf(server)).toEqual(due(at('03T17:00')))

        yield* Effect.flatMap(Database, (database) => pruneTasks(database, { before: at('02T12:00'), limit: 100 }))
        expect(yield* healthOf(server)).toEqual({
          ...due(at('03T17:00')),
          health_since: at('03T00:00'),
          failed_runs: 1,
        })

        // Of two prune jobs of one place neither has tasks; when one goes the other has them.
        const prune = (job_id: string) => ({ server, job_type: 'prune', job_id, store: 'tank', schedule: '2:00' })
        yield* landOnce({ resource: 'jobs', server: 'pbs-d', job_type: 'prune' }, [
          { model: 'job', changes: [create('job', jobFacts(server, 'p', { job_type: 'prune', schedule: '2:00' }))] },
        ])
        yield* landTasks(
          'pbs-d',
          '04T12:00',
          task(server, '04T00:00', 'OK', {
            ...{ upid: 'UPID:p', worker_type: 'prunejob', worker_id: 'tank', job_type: 'prune', job_id: '' },
          }),
        )
        expect(yield* healthOf(server, 'p')).toMatchObject({ last_good_run: at('04T00:00') })
        const [other = 0] = yield* main.create({ model: 'job', rows: [prune('q')], actor })
        expect(yield* healthOf(server, 'p')).toMatchObject({ last_good_run: null })
        yield* main.remove({ model: 'job', id: other, actor })
        expect(yield* healthOf(server, 'p')).toMatchObject({ last_good_run: at('04T00:00') })
        expect(yield* expectVerified).toBeGreaterThan(2)
      }),
    )
  })

  test.each([1, 2, 3])('equals what follows from the rows after any sequence of writes, %d', async (seed) => {
    await run(
      Effect.gen(function* () {
        const name = `random-${seed}`
        const server = yield* serverWith(name)
        const main = yield* writesOneByOne
        const schedules = ['2:00', 'hourly', 'monthly', '', 'never heard of']
        let state = seed
        const draw = (most: number) => {
          state = (state * 48_271) % 2_147_483_647
          return state % most
        }
        yield* landJobs(name, '01T00:00', [create('job', jobFacts(server, 'v', { schedule: '2:00' }))])
        for (let step = 1; step <= 24; step += 1) {
          const day = String(step).padStart(2, '0')
          const id = yield* jobIn(server)
          const schedule = schedules[draw(schedules.length)] ?? ''
          switch (draw(6)) {
            case 0:
            case 1:
              yield* landTasks(
                name,
                `${day}T12:00`,
                task(server, `${day}T0${draw(9)}:00`, draw(2) === 0 ? 'OK' : 'no space'),
              )
              break
            case 2:
              yield* edit(main, id, draw(2) === 0 ? { schedule } : { disable: draw(2) === 0 })
              break
            case 3:
              yield* main.create({
                model: 'job',
                rows: [{ server, job_type: 'prune', job_id: `p${step}`, store: 'tank', schedule }],
                actor,
              })
              break
            case 4: {
              const branches = yield* Branches
              const branch = yield* newBranch(`${name}-${step}`, 'operator')
              yield* edit(oneByOne(branches.overlay({ id: branch.id }).writes), id, { schedule, disable: false })
              yield* branches.merge({ id: branch.id, commit: true, by: actor, at: at(`${day}T13:00`), approval: false })
              break
            }
            default:
              yield* Effect.flatMap(Database, (database) =>
                pruneTasks(database, {
                  before: at(`${String(Math.max(1, step - draw(5))).padStart(2, '0')}T00:00`),
                  limit: 2,
                }),
              )
          }
          expect(yield* expectVerified).toBeGreaterThan(0)
        }
      }),
    )
  })
})
