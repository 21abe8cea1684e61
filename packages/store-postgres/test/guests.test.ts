import { type Facts, naturalKey, type Observations } from '@netbox-pbs/core'
import { type Branches, type ChangeSets, Guests, type Inventory, type InventoryWrites } from '@netbox-pbs/core/ports'
import { change, create, groupFacts, jobFacts, landOnce, may, snapshotFacts, writesOneByOne } from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { afterAll, describe, expect, test } from 'vitest'
import type { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { verifyStored } from '../src/verification/verify.ts'
import { rows } from './contract/branching.ts'
import { newServer } from './contract/landed-group.ts'
import { Random } from './contract/random.ts'
import { expectVerified, findings } from './contract/verified.ts'
import { engines } from './engines.ts'

type Ports = Branches | ChangeSets | Guests | Inventory | InventoryWrites | Database

/** A group in the inventory: `a/tank` copies from the group named, and lags. */
interface StoredGroup {
  readonly place: string
  readonly copy_of: string | null
  readonly points_behind: number
  readonly lag_since: string | null
  readonly guest: number
}

const guestChecks = ['guests.groups', 'guest_copies.guest', 'guests.copies']

let requests = 0
const actor = () => ({ user: 'ann', requestId: `6d0f2f7e-0000-4000-8000-${String(++requests).padStart(12, '0')}` })

/** The groups of an id, as they are stored. */
const storedGroups = (backupId: string) =>
  rows<StoredGroup>(`
    select v.name || '/' || g.datastore_name as place, w.name || '/' || s.datastore_name as copy_of, coalesce(c.points_behind, 0) as points_behind,
      to_char(c.lag_since at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as lag_since, coalesce(c.guest_id, o.id) as guest
    from groups g join servers v on v.id = g.server_id
    left join guests o on o.origin_id = g.id
    left join guest_copies c on c.group_id = g.id
    left join groups s on s.id = c.copy_of left join servers w on w.id = s.server_id
    where g.backup_id = '${backupId}' order by g.id`)

/** The same without the ids of guests. */
const copies = (backupId: string) => Effect.map(storedGroups(backupId), (all) => all.map(({ guest: _, ...row }) => row))

const origin = (place: string) => ({ place, copy_of: null, points_behind: 0, lag_since: null })
const copy = (place: string, copy_of: string, points_behind = 0, lag_since: string | null = null) => ({
  ...{ place, copy_of, points_behind, lag_since },
})

describe.each(engines)('guests on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const run = <A, E>(effect: Effect.Effect<A, E, Ports>) => runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  /** A place of a server with groups, whose list lands as a sync lands it. */
  const placeOf = (name: string, server: number, store: string) => {
    const at = { datastore_name: store }
    const facts = (id: string, day: number, more: Partial<Facts<'snapshot'>> = {}) =>
      snapshotFacts(server, id, may(day), { ...at, ...more })
    const gains = (id: string, days: ReadonlyArray<number>, more: Partial<Facts<'snapshot'>> = {}) =>
      landOnce({ resource: 'snapshots', server: name, datastore: store, namespace: '' }, [
        { model: 'snapshot', changes: days.map((day) => create('snapshot', facts(id, day, more))) },
        { model: 'group', changes: [create('group', groupFacts(server, id, at))] },
      ])
    const idOf = (id: string, day: number) =>
      Effect.map(
        rows<{ id: number }>(
          `select id from snapshots where server_id = ${server} and datastore_name = '${store}' and backup_id = '${id}' and backup_time = '${may(day)}'`,
        ),
        ([row]) => row?.id ?? 0,
      )
    const loses = (id: string, ...days: ReadonlyArray<number>) =>
      Effect.gen(function* () {
        const writes = yield* writesOneByOne
        for (const day of days) yield* writes.remove({ model: 'snapshot', id: yield* idOf(id, day), actor: actor() })
      })
    return { server, facts, gains, loses, idOf }
  }

  /** A sync job of a server that pulls a store into another. */
  const pulls = (name: string, server: number, from: string, to: string, options: Facts<'job'>['options'] = {}) =>
    landOnce({ resource: 'jobs', server: name, job_type: 'sync' }, [
      {
        model: 'job',
        changes: [
          create(
            'job',
            jobFacts(server, 's-1', {
              ...{
                job_type: 'sync',
                store: to,
                remote: 'other',
                options: { 'remote-store': from, ...(options as object) },
              },
            }),
          ),
        ],
      },
    ])

  test('a copy is found when a common time lands, in any order, and lags from the first point that it lacks', async () => {
    await run(
      Effect.gen(function* () {
        const a = placeOf('near', yield* newServer('near'), 'tank')
        const b = placeOf('far', yield* newServer('far'), 'vault')
        yield* pulls('far', b.server, 'tank', 'vault')
        yield* b.gains('1', [1])
        yield* a.gains('1', [1, 2, 3])
        yield* a.gains('2', [1])
        expect(yield* copies('1')).toEqual([copy('far/vault', 'near/tank', 2, may(2)), origin('near/tank')])
        expect(yield* copies('2')).toEqual([origin('near/tank')])
        yield* b.gains('1', [2, 3])
        expect(yield* copies('1')).toEqual([copy('far/vault', 'near/tank'), origin('near/tank')])
        yield* a.gains('1', [4])
        expect(yield* copies('1')).toEqual([copy('far/vault', 'near/tank', 1, may(4)), origin('near/tank')])
        yield* (yield* writesOneByOne).update({
          model: 'server',
          id: a.server,
          values: { name: 'renamed' },
          actor: actor(),
        })
        expect(yield* copies('1')).toEqual([copy('far/vault', 'renamed/tank', 1, may(4)), origin('renamed/tank')])
        yield* expectVerified
      }),
    )
  })

  test('unfinished backups and those of the future are no points', async () => {
    await run(
      Effect.gen(function* () {
        const a = placeOf('odd', yield* newServer('odd'), 'tank')
        const b = placeOf('odd2', yield* newServer('odd2'), 'vault')
        yield* pulls('odd2', b.server, 'tank', 'vault')
        yield* a.gains('3', [1], { finished: false })
        yield* b.gains('3', [1])
        expect(yield* copies('3')).toEqual([origin('odd/tank'), origin('odd2/vault')])
        const future = { backup_time: '2190-01-01T00:00:00Z' }
        yield* a.gains('3', [1], future)
        yield* b.gains('3', [1], future)
        expect(yield* copies('3')).toEqual([origin('odd/tank'), origin('odd2/vault')])
        const id = yield* a.idOf('3', 1)
        yield* landOnce({ resource: 'snapshots', server: 'odd', datastore: 'tank', namespace: '' }, [
          {
            model: 'snapshot',
            changes: [change('snapshot', id, a.facts('3', 1, { finished: false }), { finished: true })],
          },
        ])
        expect(yield* copies('3')).toEqual([origin('odd/tank'), copy('odd2/vault', 'odd/tank')])
        yield* expectVerified
      }),
    )
  })

  test('a sync job that comes or changes is enough', async () => {
    await run(
      Effect.gen(function* () {
        const a = placeOf('late', yield* newServer('late'), 'tank')
        const b = placeOf('late2', yield* newServer('late2'), 'vault')
        yield* b.gains('4', [1, 2])
        yield* a.gains('4', [1, 2])
        expect(yield* copies('4')).toEqual([origin('late2/vault'), origin('late/tank')])
        yield* pulls('late2', b.server, 'tank', 'vault', { 'group-filter': ['type:ct'] })
        expect(yield* copies('4')).toEqual([origin('late2/vault'), origin('late/tank')])
        const [job] = yield* rows<{ id: number }>(`select id from jobs where server_id = ${b.server}`)
        const facts = jobFacts(b.server, 's-1', { job_type: 'sync' })
        yield* landOnce({ resource: 'jobs', server: 'late2', job_type: 'sync' }, [
          { model: 'job', changes: [change('job', job?.id ?? 0, facts, { options: { 'remote-store': 'tank' } })] },
        ])
        expect(yield* copies('4')).toEqual([copy('late2/vault', 'late/tank'), origin('late/tank')])
        // What was found stays when the job goes.
        yield* (yield* writesOneByOne).remove({ model: 'job', id: job?.id ?? 0, actor: actor() })
        expect(yield* copies('4')).toEqual([copy('late2/vault', 'late/tank'), origin('late/tank')])
        expect(
          yield* rows(`select job_id from guest_copies c join groups g on g.id = c.group_id where g.backup_id = '4'`),
        ).toEqual([{ job_id: null }])
        yield* expectVerified
      }),
    )
  })

  test('a copy stays one when no time is common any more, and takes over the guest when its origin goes', async () => {
    await run(
      Effect.gen(function* () {
        const a = placeOf('gone', yield* newServer('gone'), 'tank')
        const b = placeOf('kept', yield* newServer('kept'), 'vault')
        yield* a.gains('5', [1, 2, 3])
        yield* b.gains('5', [1, 2, 3])
        const [first] = yield* storedGroups('5')
        yield* a.gains('5', [8, 9])
        yield* a.loses('5', 1, 2, 3)
        expect(yield* copies('5')).toEqual([origin('gone/tank'), copy('kept/vault', 'gone/tank', 2, may(8))])
        yield* expectVerified
        yield* (yield* writesOneByOne).remove({ model: 'server', id: a.server, actor: actor() })
        expect(yield* storedGroups('5')).toEqual([{ ...origin('kept/vault'), guest: first?.guest }])
        expect(
          yield* rows(`select * from copy_links l where not exists (select from groups g where g.id = l.origin_id)`),
        ).toEqual([])
        yield* b.loses('5', 1, 2, 3)
        expect(yield* storedGroups('5')).toHaveLength(1)
        yield* expectVerified
      }),
    )
  })

  test('a chain has one origin, by which each copy lags', async () => {
    await run(
      Effect.gen(function* () {
        const [a, b, c] = [
          placeOf('one', yield* newServer('one'), 'one'),
          placeOf('two', yield* newServer('two'), 'two'),
          placeOf('three', yield* newServer('three'), 'three'),
        ]
        yield* pulls('two', b.server, 'one', 'two')
        yield* pulls('three', c.server, 'two', 'three')
        yield* c.gains('6', [1, 2])
        yield* b.gains('6', [1, 2, 3])
        yield* a.gains('6', [1, 2, 3, 4])
        const all = yield* storedGroups('6')
        expect(all.map(({ guest: _, ...row }) => row)).toEqual([
          copy('three/three', 'two/two', 2, may(3)),
          copy('two/two', 'one/one', 1, may(4)),
          origin('one/one'),
        ])
        const counted = yield* rows(
          `select copies, servers, lagging_copies, points_behind from guests where id = ${all[0]?.guest}`,
        )
        expect(counted).toEqual([{ copies: 2, servers: 3, lagging_copies: 2, points_behind: 2 }])
        yield* expectVerified
      }),
    )
  })

  /** A run of the sync job `s-1`, as its task. */
  const runs = (name: string, server: number, start: string, outcome: 'ok' | 'error') => {
    const facts: Facts<'task'> = {
      ...{ server, upid: `UPID:${start}`, node: name, worker_type: 'syncjob', worker_id: 'x', user: 'root@pam' },
      ...{ starttime: start, datastore_name: 'vault', namespace: '', backup_type: '', backup_id: '' },
      ...{ job_type: 'sync', job_id: 's-1' },
    }
    const values: Observations<'task'> = { endtime: start, outcome, status: outcome }
    return landOnce({ resource: 'tasks', server: name }, [
      { model: 'task', changes: [create('task', facts)], observed: [{ key: naturalKey('task', facts), values }] },
    ])
  }

  test.each([
    ['a run that ended well and a later list', {}, ['ok', 2190], 2191, [1, may(4)]],
    ['the list was read before the run', {}, ['ok', 2190], 2189, [0, null]],
    ['the run failed', {}, ['error', 2190], 2191, [0, null]],
    ['the run began before the backup was seen', {}, ['ok', 2020], 2191, [0, null]],
    ['the job leaves out backups on purpose', { 'verified-only': true }, ['ok', 2190], 2191, [null, null]],
  ] as const)('a sync job that does not copy: %s', async (title, options, [outcome, year], read, [silent, since]) => {
    await run(
      Effect.gen(function* () {
        const [source, target] = [`s ${title}`, `t ${title}`]
        const a = placeOf(source, yield* newServer(source), source)
        const b = placeOf(target, yield* newServer(target), 'vault')
        yield* pulls(target, b.server, source, 'vault', options)
        yield* a.gains('8', [1, 2])
        yield* b.gains('8', [1, 2])
        yield* a.gains('8', [4, 5])
        yield* runs(target, b.server, `${year}-01-01T00:00:00Z`, outcome)
        yield* landOnce({ resource: 'snapshots', server: target, datastore: 'vault', namespace: '' }, [], {
          at: `${read}-06-01T00:00:00Z`,
        })
        const ledger = yield* (yield* Guests).ledger({})
        expect(ledger.filter(({ server }) => server.id === b.server)).toEqual([
          {
            ...{ job: expect.any(Number), server: { id: b.server, name: target }, name: 's-1' },
            ...{ copies: 1, lagging_copies: 1, points_behind: 2, lag_since: may(4) },
            last_good_run: outcome === 'ok' ? `${year}-01-01T00:00:00Z` : null,
            ...{ silent_copies: silent, silent_since: since },
          },
        ])
      }),
    )
  })

  test.each([1, 2])('what is stored follows from rows after any history: seed %i', async (seed) => {
    const random = new Random(seed)
    await run(
      Effect.gen(function* () {
        const names = ['x', 'y', 'z'].map((name) => `${name}${seed}`)
        const places = yield* Effect.forEach(names, (name) =>
          Effect.map(newServer(name), (server) => placeOf(name, server, name)),
        )
        const writes = yield* writesOneByOne
        const ids = [`10${seed}`, `20${seed}`]
        for (let step = 0; step < 40; step++) {
          const at = random.pick(places)
          const id = random.pick(ids)
          const days = [1, 2, 3, 4, 5, 6].filter(() => random.is(0.5))
          const kind = random.next()
          if (kind < 0.45) {
            for (const day of days)
              if ((yield* at.idOf(id, day)) === 0) yield* at.gains(id, [day], { finished: random.is(0.9) })
          } else if (kind < 0.65) yield* at.loses(id, ...days)
          else if (kind < 0.8) {
            const snapshot = yield* at.idOf(id, random.pick([1, 2, 3]))
            const values = random.is(0.5)
              ? { backup_time: may(random.pick([7, 8, 9])) }
              : { backup_id: random.pick(ids) }
            yield* writes
              .update({ model: 'snapshot', id: snapshot, values, actor: actor() })
              .pipe(Effect.catchTag('KeyTaken', () => Effect.succeed(false)))
          } else if (kind < 0.95) {
            const [from, to] = [random.pick(names), random.pick(names)]
            const server = places[names.indexOf(to)]?.server ?? 0
            const [known] = yield* rows<{ id: number }>(`select id from jobs where server_id = ${server}`)
            if (known === undefined) yield* pulls(to, server, from, to)
            else yield* writes.remove({ model: 'job', id: known.id, actor: actor() })
          } else if (step > 30 && places.length > 2) {
            yield* writes.remove({ model: 'server', id: places.pop()?.server ?? 0, actor: actor() })
          }
          expect(findings(yield* verifyStored({ only: guestChecks }))).toEqual([])
        }
        yield* expectVerified
        const stored = yield* storedGroups(ids[0] ?? '')
        // From nothing but rows and links the same is found.
        yield* rows('delete from guest_copies')
        yield* rows('delete from guests')
        yield* rows('insert into stale_guests (backup_type, backup_id) select backup_type, backup_id from groups')
        yield* landOnce({ resource: 'servers' }, [])
        const again = yield* storedGroups(ids[0] ?? '')
        expect(again.map(({ guest: _, ...row }) => row)).toEqual(stored.map(({ guest: _, ...row }) => row))
        yield* expectVerified
      }),
    )
  })
})
