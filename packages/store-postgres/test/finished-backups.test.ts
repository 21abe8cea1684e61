import type { Scope } from '@netbox-pbs/core'
import { Branches, ChangeSets, type Inventory } from '@netbox-pbs/core/ports'
import {
  appendAll,
  change,
  create,
  groupFacts,
  landOnce,
  may,
  openFor,
  type Part,
  rootOf,
  serverFacts,
  snapshotFacts,
} from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { sql } from 'kysely'
import { afterAll, describe, expect, test } from 'vitest'
import { Database } from '../src/database/database.ts'
import { migration } from '../src/migrations/0020-finished-backups.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { engines } from './engines.ts'

const verified = { finished: true, verification_state: 'ok' }
const unfinished = { finished: false, verification_state: '', size_bytes: null }

describe.each(engines)('an unfinished snapshot on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const run = <A, E>(effect: Effect.Effect<A, E, Branches | ChangeSets | Database | Inventory>) =>
    runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  const rows = <A>(text: string) =>
    Effect.flatMap(Database, (database) =>
      database.query('asking', async (db) => (await sql.raw<A>(text).execute(db)).rows),
    )
  const counters = 'backup_id, snapshot_count, first_backup, last_backup, newest_verification, unfinished_since'
  const ofMain = (server: number) =>
    rows(`select ${counters} from groups where server_id = ${server} order by backup_id`)
  const newServer = (name: string) =>
    Effect.gen(function* () {
      yield* landOnce({ resource: 'servers' }, [{ model: 'server', changes: [create('server', serverFacts(name))] }])
      const [row] = yield* rows<{ id: number }>(`select id from servers where name = '${name}'`)
      return row?.id ?? 0
    })
  const made = (server: number, id: string, days: Readonly<Record<number, object>>): Part => ({
    model: 'snapshot',
    changes: Object.entries(days).map(([day, more]) =>
      create('snapshot', snapshotFacts(server, id, may(Number(day)), more)),
    ),
  })
  const groups = (server: number, ...ids: ReadonlyArray<string>): Part => ({
    model: 'group',
    changes: ids.map((id) => create('group', groupFacts(server, id))),
  })
  const none = { first_backup: null, last_backup: null, newest_verification: '' }
  const two = { first_backup: may(1), last_backup: may(2), newest_verification: 'ok' }

  test('counts as a backup in no counter of main, whether its group is new or grows, and does once it is finished', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* newServer('counted')
        const scope = rootOf('counted')
        yield* landOnce(scope, [
          groups(server, '100', '200'),
          made(server, '100', { 1: verified, 2: verified, 3: unfinished, 4: unfinished }),
          made(server, '200', { 5: unfinished }),
        ])
        const first = [
          { backup_id: '100', snapshot_count: 4, ...two, unfinished_since: may(3) },
          { backup_id: '200', snapshot_count: 1, ...none, unfinished_since: may(5) },
        ]
        expect(yield* ofMain(server)).toEqual(first)
        // A namespace that has snapshots is counted group by group.
        yield* landOnce(scope, [
          groups(server, '300'),
          made(server, '300', { 1: verified, 2: verified, 6: unfinished }),
        ])
        expect(yield* ofMain(server)).toEqual([
          ...first,
          { backup_id: '300', snapshot_count: 3, ...two, unfinished_since: may(6) },
        ])
        const [row] = yield* rows<{ id: number }>(
          `select id from snapshots where server_id = ${server} and backup_id = '200'`,
        )
        const facts = snapshotFacts(server, '200', may(5), unfinished)
        yield* landOnce(scope, [
          {
            model: 'snapshot',
            changes: [change('snapshot', row?.id ?? 0, facts, { finished: true, verification_state: 'failed' })],
          },
        ])
        expect((yield* ofMain(server))[1]).toEqual({
          ...{ backup_id: '200', snapshot_count: 1, first_backup: may(5), last_backup: may(5) },
          ...{ newest_verification: 'failed', unfinished_since: null },
        })
      }),
    )
  })

  test('counts as a backup in no counter of a branch', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* newServer('branched')
        const scope: Scope = rootOf('branched')
        yield* landOnce(scope, [
          groups(server, '100', '200'),
          made(server, '100', { 1: verified, 2: verified }),
          made(server, '200', { 5: unfinished }),
        ])
        const branches = yield* Branches
        const request = {
          name: 'unfinished',
          kind: 'sync',
          description: '',
          user: '',
          runId: 900,
          review: false,
        } as const
        const { id: branch } = yield* branches.create(request)
        const changeSets = yield* ChangeSets
        const changeSet = yield* openFor(900, scope)
        const [row] = yield* rows<{ id: number }>(
          `select id from snapshots where server_id = ${server} and backup_id = '200'`,
        )
        const facts = snapshotFacts(server, '200', may(5), unfinished)
        yield* appendAll(changeSet, scope, [
          groups(server, '300'),
          made(server, '100', { 7: unfinished }),
          { model: 'snapshot', changes: [change('snapshot', row?.id ?? 0, facts, { finished: true })] },
          made(server, '300', { 8: unfinished }),
        ])
        const landing = {
          changeSet,
          scope,
          runId: 900,
          at: may(30),
          visibility: 'all',
          held: null,
          listed: true,
          record: null,
        }
        yield* changeSets.stage({ ...landing, branch })
        expect(
          yield* rows(`select ${counters} from branch_group_counts where branch_id = ${branch} order by backup_id`),
        ).toEqual([
          { backup_id: '100', snapshot_count: 3, ...two, unfinished_since: may(7) },
          {
            ...{ backup_id: '200', snapshot_count: 1, first_backup: may(5), last_backup: may(5) },
            ...{ newest_verification: '', unfinished_since: null },
          },
          { backup_id: '300', snapshot_count: 1, ...none, unfinished_since: may(8) },
        ])
      }),
    )
  })

  test('is counted out of groups that were stored before', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* newServer('stored')
        yield* landOnce(rootOf('stored'), [
          groups(server, '100', '200'),
          made(server, '100', { 1: verified, 2: verified, 3: unfinished }),
          made(server, '200', { 1: verified, 2: verified }),
        ])
        const right = yield* ofMain(server)
        yield* rows('alter table groups drop column unfinished_since')
        yield* rows('alter table branch_group_counts drop column unfinished_since')
        yield* rows('alter table branch_group_counts rename column stale to moved')
        yield* rows(
          `update groups set last_backup = '${may(3)}', newest_verification = '' where server_id = ${server} and backup_id = '100'`,
        )
        const database = yield* Database
        yield* database.transaction('migrating', (trx) => migration.up(trx))
        yield* rows('alter table branch_group_counts rename column moved to stale')
        expect(yield* ofMain(server)).toEqual(right)
      }),
    )
  })
})
