import {
  Branches,
  BranchInConflict,
  type ChangeSets,
  type Inventory,
  type InventoryWrites,
  StoreFailed,
} from '@netbox-pbs/core/ports'
import { Cause, Effect, Exit, Fiber, Layer, ManagedRuntime, Option } from 'effect'
import type { PoolClient } from 'pg'
import { afterAll, describe, expect, test } from 'vitest'
import { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { main, personsBranch } from './contract/branch-edits.ts'
import { answer, conflictsOf, merge, newFleet, rows } from './contract/branching.ts'
import { pg } from './engines.ts'

/** A second connection to the same database, for a user who writes main while a branch merges. */
const session = Effect.acquireRelease(
  Effect.flatMap(Database, ({ driver }) =>
    driver._tag === 'pg' ? Effect.promise(() => driver.pool.connect()) : Effect.dieMessage('needs a server'),
  ),
  (client) => Effect.sync(() => client.release(true)),
)

/** Process ids of sessions that wait for this one, once there is one. */
const waiting = (client: PoolClient): Effect.Effect<ReadonlyArray<number>> =>
  Effect.promise(() =>
    client.query<{ pid: number }>(
      'select pid from pg_locks where not granted and pg_backend_pid() = any(pg_blocking_pids(pid))',
    ),
  ).pipe(
    Effect.map(({ rows: found }) => found.map(({ pid }) => pid)),
    Effect.repeat({ until: (pids) => pids.length > 0 }),
  )

describe('a merge while a user writes main', () => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, pg.migrated))
  const run = <A, E>(effect: Effect.Effect<A, E, Branches | ChangeSets | InventoryWrites | Database | Inventory>) =>
    runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  /** Merges a branch while another session has written main and commits only when the merge waits for it. */
  const mergeDuring = (id: number, ...statements: ReadonlyArray<string>) =>
    Effect.scoped(
      Effect.gen(function* () {
        const other = yield* session
        const ask = (text: string) => Effect.promise(() => other.query(text))
        yield* ask('begin')
        for (const statement of statements) yield* ask(statement)
        const merging = yield* Effect.fork(Effect.exit(merge(id)))
        yield* waiting(other)
        yield* ask('commit')
        return yield* Fiber.join(merging)
      }),
    )
  const failure = (exit: Exit.Exit<unknown, unknown>) => (Exit.isFailure(exit) ? Cause.squash(exit.cause) : null)
  const status = (id: number) =>
    Effect.flatMap(Branches, (branches) => Effect.map(branches.get({ id }), (one) => Option.getOrThrow(one).status))

  test('keeps both edits of one row where they are of different fields', async () => {
    await run(
      Effect.gen(function* () {
        const { tank } = yield* newFleet('both')
        const branch = yield* personsBranch('both')
        yield* branch.update('datastore', tank.id, { comment: 'mine', tags: ['mine'] })
        const exit = yield* mergeDuring(
          branch.id,
          `update datastores set path = '/theirs', tags = '["theirs"]' where id = ${tank.id}`,
        )
        expect(Exit.isSuccess(exit)).toBe(true)
        expect(yield* rows(`select path, comment, tags from datastores where id = ${tank.id}`)).toEqual([
          { path: '/theirs', comment: 'mine', tags: ['theirs', 'mine'] },
        ])
      }),
    )
  })

  test('asks about a field that both write, and about a row that main writes and the branch deletes', async () => {
    await run(
      Effect.gen(function* () {
        const { tank, vault } = yield* newFleet('lost-edit')
        const branch = yield* personsBranch('lost-edit')
        yield* branch.update('datastore', tank.id, { comment: 'mine' })
        yield* branch.remove('datastore', vault.id)
        const exit = yield* mergeDuring(
          branch.id,
          `update datastores set comment = 'theirs' where id in (${tank.id}, ${vault.id})`,
        )
        expect(failure(exit)).toBeInstanceOf(BranchInConflict)
        expect(yield* rows(`select comment from datastores where id in (${tank.id}, ${vault.id})`)).toEqual([
          { comment: 'theirs' },
          { comment: 'theirs' },
        ])
        expect((yield* conflictsOf(branch.id)).map(({ kind, main: is }) => [kind, is])).toEqual([
          ['update_delete', 'theirs'],
          ['update_update', 'theirs'],
        ])
        expect(yield* status(branch.id)).toBe('in_review')
      }),
    )
  })

  test('merges a row that both are making', async () => {
    await run(
      Effect.gen(function* () {
        const { server } = yield* newFleet('making')
        const branch = yield* personsBranch('making')
        yield* branch.make('datastore', { server, name: 'new', path: '/p', comment: 'mine' })
        const exit = yield* mergeDuring(
          branch.id,
          `insert into datastores (server_id, name, path, presence) values (${server}, 'new', '/p', 'manual')`,
        )
        expect(Exit.isSuccess(exit)).toBe(true)
        expect(
          yield* rows(`select path, comment from datastores where server_id = ${server} and name = 'new'`),
        ).toEqual([{ path: '/p', comment: 'mine' }])
      }),
    )
  })

  test('asks about a key that another row takes in that moment', async () => {
    await run(
      Effect.gen(function* () {
        const { server, tank } = yield* newFleet('taking')
        const branch = yield* personsBranch('taking')
        yield* branch.update('datastore', tank.id, { name: 'wanted' })
        const exit = yield* mergeDuring(
          branch.id,
          `insert into datastores (server_id, name, path, presence) values (${server}, 'wanted', '/p', 'manual')`,
        )
        expect(failure(exit)).toBeInstanceOf(BranchInConflict)
        expect(yield* conflictsOf(branch.id)).toMatchObject([{ kind: 'unique_collision', objectId: tank.id }])
        expect(yield* rows(`select name from datastores where id = ${tank.id}`)).toEqual([{ name: 'tank' }])
      }),
    )
  })

  test('sees a row that is being made below the server it deletes', async () => {
    await run(
      Effect.gen(function* () {
        const { server } = yield* newFleet('under')
        const branch = yield* personsBranch('under')
        yield* branch.remove('server', server)
        const exit = yield* mergeDuring(
          branch.id,
          `insert into datastores (server_id, name, path, presence) values (${server}, 'new', '/p', 'manual')`,
        )
        expect(failure(exit)).toBeInstanceOf(BranchInConflict)
        expect(yield* conflictsOf(branch.id)).toMatchObject([{ kind: 'child_orphaned', main: { datastore: 1 } }])
        yield* answer(branch.id, { choice: 'branch' })
        yield* merge(branch.id)
        expect(yield* rows(`select id from servers where id = ${server}`)).toEqual([])
      }),
    )
  })

  test('counts a snapshot that a user writes at the same time', async () => {
    await run(
      Effect.gen(function* () {
        const edits = yield* main
        const { server, snapshot } = yield* newFleet('counted')
        const branch = yield* personsBranch('counted')
        yield* branch.remove('snapshot', snapshot(0).id)
        yield* branch.update('snapshot', snapshot(1).id, { comment: 'mine' })
        yield* Effect.all([merge(branch.id), edits.remove('snapshot', snapshot(2).id)], { concurrency: 'unbounded' })
        expect(yield* rows(`select snapshot_count from groups where server_id = ${server}`)).toEqual([
          { snapshot_count: 1 },
        ])
      }),
    )
  })

  test('lands once when it is asked for twice, and one branch after the other', async () => {
    await run(
      Effect.gen(function* () {
        const { server, tank } = yield* newFleet('twice')
        const first = yield* personsBranch('twice-1')
        const second = yield* personsBranch('twice-2')
        yield* first.update('datastore', tank.id, { comment: 'first' })
        yield* second.update('datastore', tank.id, { path: '/second' })
        yield* second.create('datastore', { server, name: 'new', path: '/p' })
        const ids = [first.id, second.id, first.id, second.id]
        const exits = yield* Effect.all(
          ids.map((id) => Effect.exit(merge(id))),
          { concurrency: 'unbounded' },
        )
        expect(exits.filter(Exit.isSuccess)).toHaveLength(2)
        expect(yield* rows(`select comment, path from datastores where id = ${tank.id}`)).toEqual([
          { comment: 'first', path: '/second' },
        ])
      }),
    )
  })

  test('that is killed has not happened: main is as it was, and the branch is open', async () => {
    await run(
      Effect.gen(function* () {
        const { server, tank, vault } = yield* newFleet('killed')
        const branch = yield* personsBranch('killed')
        yield* branch.remove('datastore', vault.id)
        yield* branch.update('server', server, { host: 'mine' })
        yield* branch.update('datastore', tank.id, { comment: 'mine' })
        const before = yield* rows(
          `select d.*, v.host from datastores d join servers v on v.id = d.server_id where server_id = ${server} order by d.id`,
        )
        const exit = yield* Effect.scoped(
          Effect.gen(function* () {
            const other = yield* session
            yield* Effect.promise(() => other.query('begin'))
            // By then the merge has deleted a row and changed another.
            yield* Effect.promise(() => other.query(`select from datastores where id = ${tank.id} for update`))
            const merging = yield* Effect.fork(Effect.exit(merge(branch.id)))
            for (const pid of yield* waiting(other)) {
              yield* Effect.promise(() => other.query('select pg_terminate_backend($1)', [pid]))
            }
            return yield* Fiber.join(merging)
          }),
        )
        expect(failure(exit)).toBeInstanceOf(StoreFailed)
        expect(
          yield* rows(
            `select d.*, v.host from datastores d join servers v on v.id = d.server_id where server_id = ${server} order by d.id`,
          ),
        ).toEqual(before)
        expect(yield* status(branch.id)).toBe('open')
        yield* merge(branch.id)
        expect(yield* rows(`select name, comment from datastores where server_id = ${server}`)).toEqual([
          { name: 'tank', comment: 'mine' },
        ])
      }),
    )
  })
})
