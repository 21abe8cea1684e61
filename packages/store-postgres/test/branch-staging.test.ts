import type { Change } from '@netbox-pbs/core'
import { Branches, ChangeSets, type Inventory, type InventoryWrites } from '@netbox-pbs/core/ports'
import { appendAll, change, create, groupFacts, may, remove, snapshotFacts } from '@netbox-pbs/testing'
import { Effect, FastCheck, Layer, ManagedRuntime } from 'effect'
import { sql } from 'kysely'
import { afterAll, describe, expect, test } from 'vitest'
import { stageCreates } from '../src/branches/stage-rows.ts'
import { recountStale } from '../src/branches/stale-groups.ts'
import { readWindows } from '../src/change-sets/parts.ts'
import { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { scopePlace } from '../src/scopes/scope-place.ts'
import { answer, check, newBranch, newFleet, rows, stageOnce } from './contract/branching.ts'
import { edits } from './contract/edits.ts'
import { engines } from './engines.ts'

/** Variants of a source's report on one snapshot of main. */
const stated = FastCheck.constantFrom<Array<'same' | 'comment' | 'other comment' | 'failed' | 'gone'>>(
  'same',
  'same',
  'comment',
  'other comment',
  'failed',
  'gone',
)

/** One thing that happens. `nth` picks a snapshot of main; guests are few, so that they meet. */
const step = FastCheck.oneof(
  FastCheck.record({
    what: FastCheck.constantFrom<Array<'run'>>('run'),
    of: FastCheck.array(stated, { minLength: 4, maxLength: 8 }),
    found: FastCheck.uniqueArray(
      FastCheck.tuple(FastCheck.constantFrom('100', '200', '300'), FastCheck.integer({ min: 5, max: 7 })),
      {
        maxLength: 3,
        selector: ([guest, day]) => `${guest} ${day}`,
      },
    ),
    size: FastCheck.integer({ min: 1, max: 2 }),
  }),
  FastCheck.record({
    what: FastCheck.constantFrom<Array<'move' | 'remove' | 'edit' | 'add' | 'rebase'>>(
      'move',
      'remove',
      'edit',
      'add',
      'rebase',
    ),
    nth: FastCheck.nat(20),
    guest: FastCheck.constantFrom('100', '200', '300'),
    day: FastCheck.integer({ min: 5, max: 9 }),
    side: FastCheck.constantFrom<Array<'main' | 'branch'>>('main', 'branch'),
  }),
)
type Step = typeof step extends FastCheck.Arbitrary<infer S> ? S : never
type Run = Extract<Step, { readonly what: 'run' }>

interface MainSnapshot {
  readonly id: number
  readonly backup_id: string
  readonly backup_time: string
}

const minutes = (nth: number): string => new Date(Date.UTC(2026, 4, 9, 2, nth)).toISOString()

describe.each(engines)('staging into a branch that waits, on $engine', ({ migrated, engine }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const run = <A, E>(effect: Effect.Effect<A, E, Branches | ChangeSets | InventoryWrites | Database | Inventory>) =>
    runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  const tables = ['branch_snapshots', 'branch_groups', 'branch_group_counts'] as const

  /** The versions of all rows of a branch: a row that is written or locked gets another. */
  const versions = (branch: number) =>
    Effect.forEach(tables, (table) =>
      rows<Readonly<Record<string, string>>>(
        `select ctid::text, xmin::text, xmax::text from ${table} where branch_id = ${branch} order by ctid`,
      ),
    )

  test('neither writes, locks nor counts what a run finds unchanged', async () => {
    await run(
      Effect.gen(function* () {
        const { server, snapshots, snapshot } = yield* newFleet('unchanged')
        const { id: branch } = yield* newBranch('unchanged')
        const found = [
          {
            model: 'group' as const,
            changes: [create('group', groupFacts(server, '200')), create('group', groupFacts(server, '300'))],
          },
          {
            model: 'snapshot' as const,
            changes: [
              change('snapshot', snapshot(0).id, snapshot(0).facts, { comment: 'source' }),
              remove('snapshot', snapshot(1).id, snapshot(1).facts),
              create('snapshot', snapshotFacts(server, '200', may(9))),
              create('snapshot', snapshotFacts(server, '300', may(9))),
            ],
          },
        ]
        yield* stageOnce(branch, snapshots, found)
        const before = yield* versions(branch)
        expect(before.map(({ length }) => length)).toEqual([4, 2, 3])
        yield* stageOnce(branch, snapshots, found)
        expect(yield* versions(branch)).toEqual(before)
        // One snapshot more of one group costs one entry and one count.
        const more = create('snapshot', snapshotFacts(server, '300', may(10)))
        yield* stageOnce(branch, snapshots, [...found, { model: 'snapshot', changes: [more] }])
        const after = yield* versions(branch)
        const kept = after.map(
          (of, nth) =>
            before[nth]?.filter((row) =>
              of.some(({ ctid, xmin, xmax }) => row['ctid'] === ctid && row['xmin'] === xmin && row['xmax'] === xmax),
            ).length,
        )
        expect(kept).toEqual([4, 2, 2])
        expect(after.map(({ length }) => length)).toEqual([5, 2, 3])
      }),
    )
  })

  /** Rows of the branch's snapshots that this transaction has read, by an index or without one. */
  const fetched = sql<{ read: number }>`
    select (pg_stat_get_xact_tuples_returned('branch_snapshots'::regclass)
      + (select sum(pg_stat_get_xact_tuples_fetched(i.indexrelid)) from pg_index i where i.indrelid = 'branch_snapshots'::regclass))::bigint as read`

  test.each([
    ['a group', (nth: number) => ['100', minutes(nth)] as const],
    ['a time', (nth: number) => [String(1000 + nth), minutes(0)] as const],
  ])('looks new snapshots up at a cost of how many there are, though all are of %s', async (of, keyOf) => {
    const size = 600
    const read = await run(
      Effect.gen(function* () {
        const database = yield* Database
        const changeSets = yield* ChangeSets
        const name = `many of ${of}`
        const { server, snapshots } = yield* newFleet(name)
        const { id: branch } = yield* newBranch(name)
        const changes = Array.from({ length: size }, (_, nth) =>
          create('snapshot', snapshotFacts(server, ...keyOf(nth))),
        )
        yield* stageOnce(branch, snapshots, [{ model: 'snapshot', changes }])
        const changeSet = yield* changeSets.open({ runId: 910_000 + fleets++, serverId: server })
        yield* appendAll(changeSet, snapshots, [{ model: 'snapshot', changes }])
        const [row] = yield* rows<{ id: number }>(`select id from change_set_parts where change_set_id = ${changeSet}`)
        return yield* database.transaction('staging', async (trx) => {
          const target = { branch, changeSet, model: 'snapshot', place: scopePlace(snapshots, server) } as const
          const windows = await readWindows(trx, database.engine, 'staged_snapshots', row?.id ?? 0)
          const before = await fetched.execute(trx)
          for (const window of windows) await stageCreates(trx, target, window)
          const after = await fetched.execute(trx)
          return (after.rows[0]?.read ?? 0) - (before.rows[0]?.read ?? 0)
        })
      }),
    )
    expect(read).toBeGreaterThan(0)
    expect(read).toBeLessThanOrEqual(4 * size)
  })

  let fleets = 0

  const mainSnapshots = (server: number) =>
    rows<MainSnapshot>(`select id, backup_id, backup_time from snapshots where server_id = ${server} order by id`)

  /** The rows that a run stages: the source's report on each snapshot of main, and new ones. */
  const stagedBy = (server: number, main: ReadonlyArray<MainSnapshot>, { of, found, size }: Run) => {
    const changes = main.flatMap(({ id, backup_id, backup_time }, nth): ReadonlyArray<Change> => {
      const facts = snapshotFacts(server, backup_id, backup_time)
      switch (of[nth % of.length]) {
        case 'comment':
        case 'other comment':
          return [change('snapshot', id, facts, { comment: of[nth % of.length] ?? '' })]
        case 'failed':
          return [change('snapshot', id, facts, { comment: 'failed', verification_state: 'failed' })]
        case 'gone':
          return [remove('snapshot', id, facts)]
        default:
          return []
      }
    })
    const made = found
      .map(([guest, day]) => snapshotFacts(server, guest, may(day), { size_bytes: size }))
      .filter(
        (facts) =>
          !main.some(
            (row) => row.backup_id === facts.backup_id && Date.parse(row.backup_time) === Date.parse(facts.backup_time),
          ),
      )
    return [...changes, ...made.map((facts) => create('snapshot', facts))]
  }

  /** The entries of a branch, without their first bases. */
  const entries = (branch: number) =>
    rows<{ readonly entry: string }>(`
      select concat_ws(' ', op, case op when 'create' then concat_ws('/', backup_id, extract(day from backup_time at time zone 'UTC'), size_bytes) else id::text end,
        case op when 'update' then concat_ws('/', touched::text, comment, verification_state) end) as entry
      from branch_snapshots where branch_id = ${branch} order by 1`).pipe(
      Effect.map((found) => found.map(({ entry }) => entry)),
    )

  const entryOf = (one: Change): string => {
    switch (one._tag) {
      case 'create': {
        const values: Readonly<Record<string, unknown>> = one.values
        return `create ${values['backup_id']}/${new Date(String(values['backup_time'])).getUTCDate()}/${values['size_bytes']}`
      }
      case 'delete':
        return `delete ${one.id}`
      case 'update': {
        const to = new Map(one.fields.map(({ field, value }) => [field, value]))
        return `update ${one.id} {${[...to.keys()].join(',')}}/${to.get('comment')}/${to.get('verification_state') ?? ''}`
      }
    }
  }

  const groupKey = 'server_id, datastore_name, namespace, backup_type, backup_id'
  const counters = (branch: number) =>
    rows(`select ${groupKey}, snapshot_count, first_backup, last_backup, unfinished_since, total_size, newest_verification, removed, shadowed
      from branch_group_counts where branch_id = ${branch} order by ${groupKey}`)

  /** The counters that a reader of the branch gets, and those of a count of every group that it may have to do with. */
  const bothCounts = (branch: number) =>
    Effect.gen(function* () {
      const recount = Effect.flatMap(Database, (database) => recountStale(database, branch))
      yield* recount
      const kept = yield* counters(branch)
      yield* rows(`
        insert into branch_group_counts (branch_id, ${groupKey}, snapshot_count, stale)
        select distinct ${branch}, ${groupKey}, 0, true from (
          select ${groupKey} from branch_snapshots where branch_id = ${branch}
          union select ${groupKey} from snapshots where id in (select id from branch_snapshots where branch_id = ${branch})
          union select ${groupKey} from branch_group_counts where branch_id = ${branch}
        ) g on conflict (branch_id, ${groupKey}) do update set stale = true`)
      yield* recount
      return { kept, counted: yield* counters(branch) }
    })

  const edited = (server: number, { what, nth, guest, day }: Exclude<Step, Run>) =>
    Effect.gen(function* () {
      const write = yield* edits
      const main = yield* mainSnapshots(server)
      const row = main[nth % Math.max(main.length, 1)]
      if (what === 'add') {
        const { size_bytes, ...key } = snapshotFacts(server, guest, may(day))
        const { datastore_name, namespace, backup_type, backup_id, backup_time } = key
        const values = { server, datastore_name, namespace, backup_type, backup_id, backup_time, size_bytes }
        return yield* write.create({ model: 'snapshot', rows: [values] })
      }
      if (row === undefined) return
      if (what === 'remove') return yield* write.remove({ model: 'snapshot', id: row.id })
      const values = what === 'move' ? { backup_id: guest } : { comment: `edit ${day}` }
      return yield* write.update({ model: 'snapshot', id: row.id, values })
    }).pipe(Effect.catchTag('KeyTaken', () => Effect.void))

  /** A rebase makes a creation of an update whose row main has removed. */
  const rebasedAfterRemoval: Array<Step> = [
    { what: 'run', of: ['failed', 'same', 'same', 'same'], found: [], size: 1 },
    { what: 'remove', nth: 0, guest: '100', day: 5, side: 'main' },
    { what: 'rebase', nth: 0, guest: '100', day: 5, side: 'main' },
  ]

  test('leaves what the run stages and the counters of a full count, whatever happened before', async () => {
    const property = FastCheck.asyncProperty(FastCheck.array(step, { minLength: 2, maxLength: 6 }), (steps) =>
      run(
        Effect.gen(function* () {
          const name = `staged-${fleets++}`
          const { server, snapshots } = yield* newFleet(name, [1, 2, 3, 4])
          const { id: branch } = yield* newBranch(name)
          for (const one of steps) {
            if (one.what === 'rebase') {
              yield* check(branch)
              yield* answer(branch, { choice: one.side })
              yield* Effect.flatMap(Branches, (branches) => branches.sync({ id: branch, commit: true }))
            } else if (one.what === 'run') {
              const changes = stagedBy(server, yield* mainSnapshots(server), one)
              yield* stageOnce(branch, snapshots, [{ model: 'snapshot', changes }])
              expect(yield* entries(branch)).toEqual(changes.map(entryOf).toSorted())
            } else yield* edited(server, one)
            const { kept, counted } = yield* bothCounts(branch)
            expect(kept).toEqual(counted)
          }
        }),
      ),
    )
    await FastCheck.assert(property, { numRuns: engine === 'pg' ? 20 : 8, examples: [[rebasedAfterRemoval]] })
  })
})
