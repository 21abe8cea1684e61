import { followsSettings, neverContacted } from '@netbox-pbs/core'
import {
  Branches,
  BranchNotOpen,
  type ChangeSets,
  type EditValues,
  type Inventory,
  type InventoryWrites,
  KeyTaken,
  type WritableModel,
} from '@netbox-pbs/core/ports'
import { create, may, oneByOne, snapshotFacts, writesOneByOne } from '@netbox-pbs/testing'
import { Effect, Either, Layer, ManagedRuntime, Option } from 'effect'
import { afterAll, describe, expect, test } from 'vitest'
import type { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { actor, newBranch, newFleet, rows, stageOnce } from './contract/branching.ts'
import { engines } from './engines.ts'

const unconnected = { host: 'h', token_id: 't@pbs!x' }

describe.each(engines)('edits in a branch on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const run = <A, E>(effect: Effect.Effect<A, E, Branches | ChangeSets | InventoryWrites | Database | Inventory>) =>
    runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  /** A branch of a person, and what one can do in it. */
  const branchOf = (name: string) =>
    Effect.gen(function* () {
      const branches = yield* Branches
      const { id } = yield* newBranch(name, 'operator')
      const writes = oneByOne(branches.overlay({ id }).writes)
      return {
        id,
        writes,
        create: (model: WritableModel, ...of: ReadonlyArray<EditValues>) => writes.create({ model, rows: of, actor }),
        update: (model: WritableModel, row: number, values: EditValues) =>
          writes.update({ model, id: row, values, actor }),
        remove: (model: WritableModel, row: number) => writes.remove({ model, id: row, actor }),
        revision: Effect.map(branches.get({ id }), (branch) => Option.getOrThrow(branch).revision),
        entries: (table: string, columns: string) =>
          rows<Readonly<Record<string, unknown>>>(
            `select id, op, touched, base, ${columns} from branch_${table} where branch_id = ${id} order by id`,
          ),
      }
    })
  const key = (server: number, day: number, more: EditValues = {}): EditValues => ({
    server,
    datastore_name: 'tank',
    backup_type: 'vm',
    backup_id: '100',
    backup_time: may(day),
    ...more,
  })

  test('make rows with the ids they will have, whole, while main stays', async () => {
    await run(
      Effect.gen(function* () {
        const { server } = yield* newFleet('made')
        const branch = yield* branchOf('made')
        const [made] = yield* branch.create('server', {
          name: 'made-2',
          ...unconnected,
          status: 'reachable',
          sync_schedule: '0 3 * * *',
          last_seen_at: may(3),
        })
        const [job] = yield* branch.create('job', {
          server,
          job_type: 'gc',
          job_id: 'tank',
          next_run: may(9),
          last_seen_at: may(4),
          tags: [{ slug: 'a' }],
          custom_fields: { site: null },
        })
        expect(
          yield* branch.entries(
            'servers',
            `name, host, port, verify_ssl, fingerprint, version, endpoint_id, endpoint_state, sync_schedule, sync_interval_minutes, sleep_hours, tags, custom_fields,
              presence, observation, children`,
          ),
        ).toEqual([
          {
            id: made,
            op: 'create',
            touched: [],
            base: {},
            name: 'made-2',
            host: 'h',
            port: 8007,
            verify_ssl: true,
            fingerprint: '',
            version: '',
            endpoint_id: null,
            endpoint_state: 'none',
            ...followsSettings,
            sync_schedule: '0 3 * * *',
            tags: [],
            custom_fields: {},
            presence: 'manual',
            observation: { ...neverContacted, status: 'reachable', last_seen_at: may(3) },
            children: null,
          },
        ])
        expect(
          yield* branch.entries(
            'jobs',
            'server_id, job_type, job_id, store, options, tags, custom_fields, presence, last_seen_own, observation',
          ),
        ).toEqual([
          {
            id: job,
            op: 'create',
            touched: [],
            base: {},
            server_id: server,
            job_type: 'gc',
            job_id: 'tank',
            store: '',
            options: {},
            tags: [{ slug: 'a' }],
            custom_fields: { site: null },
            presence: 'manual',
            last_seen_own: may(4),
            observation: { last_run_state: 'unknown', last_run_error: '', last_run_endtime: null, next_run: may(9) },
          },
        ])
        expect(yield* rows(`select id from servers where name = 'made-2'`)).toEqual([])
        const [next] = yield* (yield* writesOneByOne).create({
          model: 'server',
          rows: [{ name: 'made-3', ...unconnected }],
          actor,
        })
        expect(next).toBeGreaterThan(made ?? 0)
        expect(yield* branch.revision).toBe(2)
      }),
    )
  })

  test('refuse a key that the branch shows already, all rows or none', async () => {
    await run(
      Effect.gen(function* () {
        const { server, tank } = yield* newFleet('keys')
        const branch = yield* branchOf('keys')
        const store = (name: string) => ({ server, name, path: '/p' })
        const taken = (index: number) => Either.left(new KeyTaken({ model: 'datastore', index }))
        const tried = (...names: ReadonlyArray<string>) =>
          Effect.either(branch.create('datastore', ...names.map(store)))
        expect(yield* tried('new', 'tank')).toEqual(taken(1))
        expect(yield* tried('new', 'other', 'new')).toEqual(taken(2))
        expect(yield* branch.entries('datastores', 'name')).toEqual([])
        expect(yield* branch.revision).toBe(0)
        yield* branch.create('datastore', store('new'))
        expect(yield* tried('new')).toEqual(taken(0))
        const moved = yield* branch.update('datastore', tank.id, { name: 'moved' })
        expect(moved).toBe(true)
        expect(yield* tried('moved')).toEqual(taken(0))
        expect(yield* Effect.either(branch.update('datastore', tank.id, { name: 'new' }))).toEqual(taken(0))
        expect(yield* branch.create('datastore')).toEqual([])
        // A row that the branch moves or deletes frees its key.
        const [second] = yield* branch.create('datastore', store('tank'))
        expect(yield* Effect.either(branch.update('datastore', tank.id, { name: 'tank' }))).toEqual(taken(0))
        yield* branch.remove('datastore', second ?? 0)
        expect(yield* branch.update('datastore', tank.id, { name: 'tank' })).toBe(true)
        yield* branch.remove('datastore', tank.id)
        yield* branch.create('datastore', store('tank'))
        expect((yield* branch.entries('datastores', 'name')).map(({ op, name }) => [op, name])).toEqual([
          ['delete', 'tank'],
          ['create', 'new'],
          ['create', 'tank'],
        ])
      }),
    )
  })

  test('find a key free that main has moved away from under an entry that leaves it alone', async () => {
    await run(
      Effect.gen(function* () {
        const { server, tank } = yield* newFleet('freed')
        const branch = yield* branchOf('freed')
        yield* branch.update('datastore', tank.id, { comment: 'mine' })
        yield* (yield* writesOneByOne).update({
          model: 'datastore',
          id: tank.id,
          values: { name: 'elsewhere' },
          actor,
        })
        yield* branch.create('datastore', { server, name: 'tank', path: '/p' })
        const again = branch.create('datastore', { server, name: 'elsewhere', path: '/p' })
        expect(yield* Effect.flip(again)).toEqual(new KeyTaken({ model: 'datastore', index: 0 }))
      }),
    )
  })

  test('touch what differs from main, and nothing any more when it is set back', async () => {
    await run(
      Effect.gen(function* () {
        const { server, tank } = yield* newFleet('touch')
        const branch = yield* branchOf('touch')
        const entries = branch.entries('datastores', 'server_id, name, path, comment, tags, presence')
        yield* branch.update('datastore', tank.id, { path: '/mnt/tank', comment: 'one', used_bytes: 7 })
        const row = { server_id: server, name: 'tank', path: '/mnt/tank', tags: [], presence: 'listed' }
        const entry = { id: tank.id, op: 'update', touched: ['comment'], base: { comment: '' }, ...row }
        expect(yield* entries).toEqual([{ ...entry, comment: 'one' }])
        expect(yield* branch.revision).toBe(1)
        expect(yield* branch.update('datastore', tank.id, { comment: 'one' })).toBe(true)
        expect(yield* branch.revision).toBe(1)
        const edits = yield* writesOneByOne
        yield* edits.update({ model: 'datastore', id: tank.id, values: { comment: 'theirs', tags: ['x'] }, actor })
        yield* branch.update('datastore', tank.id, { comment: 'two', tags: ['x', 'y'] })
        expect(yield* entries).toEqual([
          {
            ...entry,
            touched: ['comment', 'tags'],
            base: { comment: '', tags: ['x'] },
            comment: 'two',
            tags: ['x', 'y'],
          },
        ])
        yield* branch.update('datastore', tank.id, { tags: ['x'], comment: '' })
        expect(yield* entries).toEqual([])
        expect(yield* branch.revision).toBe(3)
        expect(yield* branch.update('datastore', tank.id, {})).toBe(true)
        expect(yield* branch.update('datastore', 999_999_999, { comment: 'x' })).toBe(false)
        expect(yield* branch.revision).toBe(3)
      }),
    )
  })

  test('another key makes a row the user’s own, and keeps when it was last seen', async () => {
    await run(
      Effect.gen(function* () {
        const { tank } = yield* newFleet('moves')
        const branch = yield* branchOf('moves')
        yield* branch.update('datastore', tank.id, { name: 'moved' })
        const entries = branch.entries('datastores', 'name, presence, last_seen_own')
        expect(yield* entries).toEqual([
          {
            id: tank.id,
            op: 'update',
            touched: ['name'],
            base: { name: 'tank' },
            name: 'moved',
            presence: 'manual',
            last_seen_own: '2026-06-01T00:00:00Z',
          },
        ])
        yield* branch.update('datastore', tank.id, { name: 'tank', comment: 'x' })
        expect(yield* entries).toMatchObject([
          { touched: ['comment'], name: 'tank', presence: 'listed', last_seen_own: null },
        ])
      }),
    )
  })

  test('change and take back what the branch itself has made', async () => {
    await run(
      Effect.gen(function* () {
        const { server } = yield* newFleet('own')
        const branch = yield* branchOf('own')
        const [store] = yield* branch.create('datastore', { server, name: 'new', path: '/p', used_bytes: 1 })
        const id = store ?? 0
        const values = { name: 'newer', comment: 'c', used_bytes: 2, last_seen_at: may(5) }
        expect(yield* branch.update('datastore', id, values)).toBe(true)
        const entries = branch.entries('datastores', 'name, path, comment, presence, last_seen_own, observation')
        expect(yield* entries).toEqual([
          {
            id,
            op: 'create',
            touched: [],
            base: {},
            name: 'newer',
            path: '/p',
            comment: 'c',
            presence: 'manual',
            last_seen_own: may(5),
            observation: {
              used_bytes: 2,
              total_bytes: null,
              avail_bytes: null,
              gc_status: 'unknown',
              estimated_full_at: null,
              gc_index_bytes: null,
              gc_disk_bytes: null,
              gc_removed_bytes: null,
              gc_pending_bytes: null,
              gc_bad_chunks: null,
              last_gc_at: null,
              last_gc_end: null,
            },
          },
        ])
        expect(yield* branch.revision).toBe(2)
        expect(yield* branch.update('datastore', id, { comment: 'c' })).toBe(true)
        expect(yield* branch.revision).toBe(2)
        expect(yield* branch.remove('datastore', id)).toBe(true)
        expect(yield* branch.remove('datastore', id)).toBe(false)
        expect(yield* entries).toEqual([])
        expect(yield* branch.revision).toBe(3)
      }),
    )
  })

  test('note of a deleted row what main had when the branch first touched it', async () => {
    await run(
      Effect.gen(function* () {
        const { server, tank, vault } = yield* newFleet('deleted')
        const branch = yield* branchOf('deleted')
        const edits = yield* writesOneByOne
        yield* branch.update('datastore', tank.id, { comment: 'mine', custom_fields: { a: 1 } })
        yield* edits.update({ model: 'datastore', id: tank.id, values: { comment: 'theirs', path: '/new' }, actor })
        expect(yield* branch.remove('datastore', tank.id)).toBe(true)
        expect(yield* branch.remove('datastore', tank.id)).toBe(false)
        expect(yield* branch.update('datastore', tank.id, { comment: 'x' })).toBe(false)
        expect(yield* branch.remove('datastore', vault.id)).toBe(true)
        expect(
          yield* branch.entries('datastores', 'server_id, name, path, comment, tags, custom_fields, presence'),
        ).toEqual([
          {
            id: tank.id,
            op: 'delete',
            touched: [],
            base: {},
            server_id: server,
            name: 'tank',
            path: '/new',
            comment: '',
            tags: [],
            custom_fields: {},
            presence: 'listed',
          },
          {
            id: vault.id,
            op: 'delete',
            touched: [],
            base: {},
            server_id: server,
            name: 'vault',
            path: '/mnt/vault',
            comment: '',
            tags: [],
            custom_fields: {},
            presence: 'listed',
          },
        ])
      }),
    )
  })

  test('go on with a row that main has lost until it is deleted too', async () => {
    await run(
      Effect.gen(function* () {
        const { vault } = yield* newFleet('lost')
        const branch = yield* branchOf('lost')
        yield* branch.update('datastore', vault.id, { comment: 'mine' })
        yield* (yield* writesOneByOne).remove({ model: 'datastore', id: vault.id, actor })
        expect(yield* branch.update('datastore', vault.id, { path: '/p' })).toBe(true)
        expect(yield* branch.entries('datastores', 'comment, path')).toEqual([
          {
            id: vault.id,
            op: 'update',
            touched: ['comment', 'path'],
            base: { comment: '', path: '/mnt/vault' },
            comment: 'mine',
            path: '/p',
          },
        ])
        expect(yield* branch.remove('datastore', vault.id)).toBe(true)
        expect(yield* branch.entries('datastores', 'comment')).toEqual([])
      }),
    )
  })

  test('keep groups and their counters in step with snapshots', async () => {
    await run(
      Effect.gen(function* () {
        const { server, snapshot } = yield* newFleet('groups')
        const branch = yield* branchOf('groups')
        const counts = rows(
          `select backup_id, snapshot_count, total_size, first_backup, last_backup, newest_verification from branch_group_counts
           where branch_id = ${branch.id} order by backup_id`,
        )
        const groups = branch.entries('groups', 'server_id, backup_id, owner, presence')
        const [first, second] = yield* branch.create(
          'snapshot',
          key(server, 9, { backup_id: '200', size_bytes: 5 }),
          key(server, 8, { verification_state: 'ok' }),
        )
        const old = { backup_id: '100', total_size: 3000, first_backup: may(1) }
        const fresh = { backup_id: '200', snapshot_count: 1, first_backup: may(9), last_backup: may(9) }
        expect(yield* counts).toEqual([
          { ...old, snapshot_count: 4, last_backup: may(8), newest_verification: 'ok' },
          { ...fresh, total_size: 5, newest_verification: '' },
        ])
        const [group] = yield* groups
        expect(yield* groups).toEqual([
          {
            id: group?.['id'],
            op: 'create',
            touched: [],
            base: {},
            server_id: server,
            backup_id: '200',
            owner: '',
            presence: 'manual',
          },
        ])
        yield* branch.remove('snapshot', second ?? 0)
        yield* branch.update('snapshot', first ?? 0, { backup_id: '300', size_bytes: 6 })
        yield* branch.update('snapshot', snapshot(2).id, { backup_id: '300' })
        expect(yield* counts).toEqual([
          { ...old, snapshot_count: 2, total_size: 2000, last_backup: may(2), newest_verification: '' },
          {
            backup_id: '300',
            snapshot_count: 2,
            total_size: 1006,
            first_backup: may(3),
            last_backup: may(9),
            newest_verification: '',
          },
        ])
        expect((yield* groups).map(({ backup_id }) => backup_id)).toEqual(['300'])
        yield* branch.update('snapshot', snapshot(2).id, { backup_id: '100' })
        yield* branch.remove('snapshot', first ?? 0)
        expect(yield* groups).toEqual([])
        expect(yield* branch.entries('snapshots', 'backup_id')).toEqual([])
      }),
    )
  })

  test('tombstone a server with all that the branch has below it, and let go what it has moved away', async () => {
    await run(
      Effect.gen(function* () {
        const { server, tank, vault, snapshot } = yield* newFleet('old')
        const other = yield* newFleet('new')
        const branch = yield* branchOf('tombstone')
        yield* branch.update('server', server, { host: 'h' })
        yield* branch.update('datastore', vault.id, { server: other.server, name: 'vault-2' })
        yield* branch.update('datastore', tank.id, { comment: 'x' })
        yield* branch.create('snapshot', key(server, 9, { backup_id: '200' }))
        yield* branch.update('snapshot', snapshot(0).id, { comment: 'x' })
        yield* branch.update('datastore', other.tank.id, { server, name: 'moved here' })
        expect(yield* branch.remove('server', server)).toBe(true)
        const [highest] = yield* rows(
          `select (select max(id) from datastores where server_id = ${server}) as datastore, 0 as namespace,
            (select max(id) from groups where server_id = ${server}) as group, (select max(id) from snapshots where server_id = ${server}) as snapshot, 0 as job`,
        )
        expect(yield* branch.entries('servers', 'name, host, children')).toEqual([
          { id: server, op: 'delete', touched: [], base: {}, name: 'old', host: 'old.example.com', children: highest },
        ])
        expect((yield* branch.entries('datastores', 'name')).map(({ id, op, name }) => [id, op, name])).toEqual([
          [vault.id, 'update', 'vault-2'],
          [other.tank.id, 'delete', 'tank'],
        ])
        for (const table of ['snapshots', 'groups']) expect(yield* branch.entries(table, 'server_id')).toEqual([])
        expect(yield* rows(`select * from branch_group_counts where branch_id = ${branch.id}`)).toEqual([])
        expect(yield* branch.update('datastore', tank.id, { comment: 'y' })).toBe(false)
        expect(yield* branch.remove('snapshot', snapshot(0).id)).toBe(false)
        expect(yield* branch.update('datastore', vault.id, { comment: 'y' })).toBe(true)
        expect(yield* branch.remove('server', server)).toBe(false)
      }),
    )
  })

  test('show one row where main has made the same key since: the branch’s', async () => {
    await run(
      Effect.gen(function* () {
        const { server } = yield* newFleet('shadow')
        const branch = yield* branchOf('shadow')
        const [mine] = yield* branch.create('datastore', { server, name: 'new', path: '/mine' })
        const [theirs] = yield* (yield* writesOneByOne).create({
          model: 'datastore',
          rows: [{ server, name: 'new', path: '/theirs' }],
          actor,
        })
        expect(yield* branch.update('datastore', theirs ?? 0, { comment: 'x' })).toBe(false)
        expect(yield* branch.update('datastore', mine ?? 0, { comment: 'x' })).toBe(true)
      }),
    )
  })

  test('are refused when the branch has ended', async () => {
    await run(
      Effect.gen(function* () {
        const { server, tank } = yield* newFleet('ended')
        const branch = yield* branchOf('ended')
        yield* (yield* Branches).close({ id: branch.id, status: 'closed' })
        const ended = new BranchNotOpen({ id: branch.id, status: 'closed' })
        expect(yield* Effect.flip(branch.create('datastore', { server, name: 'new', path: '/p' }))).toEqual(ended)
        expect(yield* Effect.flip(branch.update('datastore', tank.id, { comment: 'x' }))).toEqual(ended)
        expect(yield* Effect.flip(branch.remove('datastore', tank.id))).toEqual(ended)
        const nowhere = oneByOne((yield* Branches).overlay({ id: 999_999_999 }).writes)
        expect(yield* Effect.flip(nowhere.remove({ model: 'datastore', id: tank.id, actor }))).toBeInstanceOf(
          BranchNotOpen,
        )
        expect(yield* branch.writes.pendingSince({ serverId: server })).toEqual(Option.none())
      }),
    )
  })

  test('at once are one after the other: one of two gets the key', async () => {
    await run(
      Effect.gen(function* () {
        const { server } = yield* newFleet('race')
        const branch = yield* branchOf('race')
        const store = { server, name: 'new', path: '/p' }
        for (const [model, row] of [
          ['snapshot', key(server, 9)],
          ['datastore', store],
        ] as const) {
          const tries = Array.from({ length: 4 }, () => Effect.either(branch.create(model, row)))
          const ended = yield* Effect.all(tries, { concurrency: 'unbounded' })
          expect(ended.filter(Either.isRight)).toHaveLength(1)
          expect(ended.filter(Either.isLeft).map(({ left }) => left)).toEqual(
            Array.from({ length: 3 }, () => new KeyTaken({ model, index: 0 })),
          )
        }
        expect(yield* rows(`select snapshot_count from branch_group_counts where branch_id = ${branch.id}`)).toEqual([
          { snapshot_count: 4 },
        ])
      }),
    )
  })

  test('during a sync that stages into the branch are refused, and neither waits for the other forever', async () => {
    await run(
      Effect.gen(function* () {
        const { server, snapshots, snapshot } = yield* newFleet('during')
        const { id } = yield* newBranch('during')
        const writes = oneByOne((yield* Branches).overlay({ id }).writes)
        const stage = stageOnce(id, snapshots, [
          {
            model: 'snapshot',
            changes: [create('snapshot', snapshotFacts(server, '100', may(9)))],
          },
        ])
        const write = writes.update({ model: 'snapshot', id: snapshot(0).id, values: { comment: 'x' }, actor })
        const rejected = Effect.flip(write)
        const [, first, , second] = yield* Effect.all([stage, rejected, stage, rejected], { concurrency: 'unbounded' })
        expect([first, second].map(({ _tag }) => _tag)).toEqual(['BranchOfRun', 'BranchOfRun'])
        expect(yield* rows(`select op from branch_snapshots where branch_id = ${id} and op = 'create'`)).toHaveLength(1)
      }),
    )
  })
})
