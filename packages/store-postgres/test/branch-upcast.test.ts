import { registryVersion } from '@netbox-pbs/core'
import { Branches, type ChangeSets, type Inventory, InventoryWrites } from '@netbox-pbs/core/ports'
import { change, create, datastoreFacts } from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { afterAll, describe, expect, test } from 'vitest'
import { upcastBranches } from '../src/branches/upcast.ts'
import { Database } from '../src/database/database.ts'
import { migrations } from '../src/migrations/index.ts'
import { migrate } from '../src/migrations/migrate.ts'
import { runMigrations } from '../src/migrations/run-migrations.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { actor, answer, check, merge, newBranch, newFleet, revert, rows, stageOnce } from './contract/branching.ts'
import { engines } from './engines.ts'

/** The tables that have the columns of a datastore. */
const stores = ['datastores', 'staged_datastores', 'branch_datastores']

/** A release in which a datastore's comment was a `note`: a list with one text in it where JSON tells of it. */
const asBefore = [
  ...stores.map((table) => `alter table ${table} rename column comment to note`),
  `update branch_datastores set touched = array_replace(touched, 'comment', 'note'), registry_version = 1,
    base = case when base ? 'comment' then (base - 'comment') || jsonb_build_object('note', jsonb_build_array(base -> 'comment')) else base end,
    outcome = case when outcome ? 'before' then outcome || jsonb_build_object(
      'before', jsonb_build_object('note', jsonb_build_array(outcome -> 'before' -> 'comment')),
      'after', jsonb_build_object('note', jsonb_build_array(outcome -> 'after' -> 'comment'))) else outcome end`,
  `update branch_conflicts set field = 'note', base = jsonb_build_array(base), main = jsonb_build_array(main), branch = jsonb_build_array(branch),
    resolution = case when resolution ? 'value' then jsonb_set(resolution, '{value}', jsonb_build_array(resolution -> 'value')) else resolution end
    where field = 'comment'`,
  `update datastores set overrides = jsonb_build_object('note', jsonb_build_array(overrides -> 'comment')) where overrides is not null`,
]

/** The migration of the release that calls it a comment. */
const later: Migration = {
  async up(db) {
    for (const table of stores) await sql.raw(`alter table ${table} rename column note to comment`).execute(db)
    const value = (old: unknown) => sql`${old} -> 0`
    await upcastBranches(db, 2, [{ model: 'datastore', from: 'note', to: 'comment', value }])
  },
}

describe.each(engines)('a branch from before a migration, on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const run = <A, E>(effect: Effect.Effect<A, E, Branches | ChangeSets | InventoryWrites | Database | Inventory>) =>
    runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  test('is written under the present version of the registry', async () => {
    await run(
      Effect.gen(function* () {
        const { server, stores: scope, tank } = yield* newFleet('version')
        const { id } = yield* newBranch('version')
        yield* stageOnce(id, scope, [
          {
            model: 'datastore',
            changes: [
              create('datastore', datastoreFacts(server, 'new')),
              change('datastore', tank.id, tank.facts, { comment: 'source' }),
            ],
          },
        ])
        yield* merge(id)
        yield* revert(id, 'undo version')
        const versions = `select distinct registry_version from branch_datastores`
        expect(yield* rows(versions)).toEqual([{ registry_version: registryVersion }])
      }),
    )
  })

  test('merges when migrations run once more while it is open', async () => {
    await run(
      Effect.gen(function* () {
        const { stores: scope, tank } = yield* newFleet('again')
        const { id } = yield* newBranch('again')
        yield* stageOnce(id, scope, [
          { model: 'datastore', changes: [change('datastore', tank.id, tank.facts, { comment: 'source' })] },
        ])
        expect(yield* migrate).toEqual([])
        yield* merge(id)
        expect(yield* rows(`select comment from datastores where id = ${tank.id}`)).toEqual([{ comment: 'source' }])
      }),
    )
  })

  test('keeps its bases, answers and overrides when a field is renamed and retyped, merges, and can be undone', async () => {
    await run(
      Effect.gen(function* () {
        const branches = yield* Branches
        const edits = yield* InventoryWrites
        const { stores: scope, tank, vault } = yield* newFleet('renamed')
        const both = (text: string) =>
          [tank, vault].map((store) => change('datastore', store.id, store.facts, { comment: text }))
        // One branch has merged, with an answer that left a pin.
        const merged = yield* newBranch('renamed before')
        yield* stageOnce(merged.id, scope, [{ model: 'datastore', changes: both('first') }])
        yield* edits.update({ model: 'datastore', id: vault.id, values: { comment: 'edited' }, actor })
        yield* check(merged.id)
        yield* answer(merged.id, { choice: 'value', value: 'both' })
        yield* merge(merged.id)
        // One is open, with an answer of which none of the values has moved.
        const open = yield* newBranch('renamed open')
        const now = { ...tank.facts, comment: 'first' }
        yield* stageOnce(open.id, scope, [
          { model: 'datastore', changes: [change('datastore', tank.id, now, { comment: 'second' })] },
        ])
        yield* edits.update({ model: 'datastore', id: tank.id, values: { comment: 'edited' }, actor })
        yield* check(open.id)
        yield* answer(open.id, { choice: 'value', value: 'answered' })

        for (const statement of asBefore) yield* rows(statement)
        expect(yield* rows(`select touched, base from branch_datastores where branch_id = ${open.id}`)).toEqual([
          { touched: ['note'], base: { note: ['first'] } },
        ])
        const database = yield* Database
        const set = { migrations: { ...migrations, '9000_notes': later }, table: 'netbox_pbs_migration' }
        expect(yield* database.transaction('migrating', (trx) => runMigrations(trx, set))).toEqual(['9000_notes'])

        expect(yield* rows(`select touched, base from branch_datastores where branch_id = ${open.id}`)).toEqual([
          { touched: ['comment'], base: { comment: 'first' } },
        ])
        expect(yield* rows(`select overrides from datastores where id = ${vault.id}`)).toEqual([
          { overrides: { comment: 'first' } },
        ])
        expect(yield* check(open.id)).toMatchObject({ status: 'ready', conflicts: 0 })
        yield* merge(open.id)
        expect(yield* rows(`select comment from datastores where id = ${tank.id}`)).toEqual([{ comment: 'answered' }])
        const reverting = yield* branches.revert({ id: merged.id, name: 'undo renamed', user: 'ann', commit: true })
        expect(
          yield* rows(`select id, base, comment from branch_datastores where branch_id = ${reverting.id} order by id`),
        ).toEqual([
          { id: tank.id, base: { comment: 'first' }, comment: '' },
          { id: vault.id, base: { comment: 'both' }, comment: 'edited' },
        ])
        expect(yield* rows(`select id from branch_datastores where registry_version < 2`)).toEqual([])
      }),
    )
  })
})
