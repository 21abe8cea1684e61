import type { Facts, Scope } from '@netbox-pbs/core'
import {
  type Branches,
  type ChangeSets,
  HeldDeletionsStore,
  type Inventory,
  type InventoryWrites,
  type Landing,
} from '@netbox-pbs/core/ports'
import { create, groupFacts, landOnce, may, type Part, remove, snapshotFacts } from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { afterAll, describe, expect, test } from 'vitest'
import type { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { merge, newBranch, rows, stageOnce } from './contract/branching.ts'
import { edits } from './contract/edits.ts'
import { newServer } from './contract/landed-group.ts'
import { engines } from './engines.ts'

type Ports = Branches | ChangeSets | HeldDeletionsStore | InventoryWrites | Database | Inventory

interface Stored {
  readonly id: number
  readonly namespace: string
  readonly day?: number
  readonly tags: ReadonlyArray<number>
  readonly custom_fields: object
}

const words = { tags: [7], custom_fields: { '1': 'customer A' } }
const bare = { tags: [], custom_fields: {} }
const sentence = (from: string, to: string) =>
  `The group moved from ${from} of datastore tank to ${to} of datastore tank. Its tags and custom fields came along.`

describe.each(engines)('a group that moves, on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const run = <A, E>(effect: Effect.Effect<A, E, Ports>) => runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  /** A server with vm/100 in the root namespace, on days 1 to 3 of May, tagged as a whole and on day 2. */
  const tagged = (name: string) =>
    Effect.gen(function* () {
      const server = yield* newServer(name)
      const scope = (namespace: string): Scope => ({
        resource: 'snapshots',
        server: name,
        datastore: 'tank',
        namespace,
      })
      const group = (namespace: string) => groupFacts(server, '100', { namespace })
      const facts = (namespace: string, day: number) => snapshotFacts(server, '100', may(day), { namespace })
      const groups = rows<Stored>(
        `select id, namespace, tags, custom_fields from groups where server_id = ${server} order by namespace`,
      )
      const snapshots = rows<Stored>(
        `select id, namespace, extract(day from backup_time at time zone 'UTC')::integer as day, tags, custom_fields
          from snapshots where server_id = ${server} order by namespace, day`,
      )
      const gains = (namespace: string, ...days: ReadonlyArray<number>): ReadonlyArray<Part> => [
        { model: 'snapshot', changes: days.map((day) => create('snapshot', facts(namespace, day))) },
        { model: 'group', changes: [create('group', group(namespace))] },
      ]
      const loses = (namespace: string) =>
        Effect.gen(function* () {
          const here = (row: Stored) => row.namespace === namespace
          const removed = (yield* snapshots).filter(here)
          const [at] = (yield* groups).filter(here)
          return [
            {
              model: 'snapshot',
              changes: removed.map(({ id, day = 0 }) => remove('snapshot', id, facts(namespace, day))),
            },
            { model: 'group', changes: [remove('group', at?.id ?? 0, group(namespace))] },
          ] satisfies ReadonlyArray<Part>
        })
      const land = (namespace: string, parts: ReadonlyArray<Part>, more: Partial<Landing> = {}) =>
        landOnce(scope(namespace), parts, more)
      const tag = (model: 'group' | 'snapshot', id: number, values: object = words) =>
        Effect.flatMap(edits, (writes) => writes.update({ model, id, values } as Parameters<typeof writes.update>[0]))
      const attached = Effect.gen(function* () {
        const values = ({ tags, custom_fields }: Stored) => ({ tags, custom_fields })
        return {
          groups: Object.fromEntries((yield* groups).map((row) => [row.namespace, values(row)])),
          snapshots: Object.fromEntries((yield* snapshots).map((row) => [`${row.namespace}/${row.day}`, values(row)])),
        }
      })
      const waiting = rows<{ model: string }>(
        `select model from detached_values where server_id = ${server} and (tags <> '[]' or custom_fields <> '{}') order by 1`,
      )
      const told = rows<{ title: string; message: string; run_id: number | null; user_name: string }>(
        `select title, message, run_id, user_name from changes where server_id = ${server} and message <> '' order by id`,
      )
      yield* land('', gains('', 1, 2, 3))
      yield* tag('group', (yield* groups)[0]?.id ?? 0)
      yield* tag('snapshot', (yield* snapshots)[1]?.id ?? 0)
      return { server, scope, gains, loses, land, tag, attached, waiting, told, groups, snapshots, facts, group }
    })

  const moved = {
    groups: { to: words },
    snapshots: { 'to/1': bare, 'to/2': words, 'to/3': bare },
  }

  test.each(['the new place first', 'the old place first'])('keeps what is attached, %s', async (order) => {
    await run(
      Effect.gen(function* () {
        const name = order.replaceAll(' ', '-')
        const { land, gains, loses, attached, waiting, told } = yield* tagged(name)
        if (order === 'the new place first') {
          yield* land('to', gains('to', 1, 2, 3))
          expect((yield* attached).groups).toEqual({ '': words, to: bare })
          yield* land('', yield* loses(''))
        } else {
          yield* land('', yield* loses(''))
          expect(yield* waiting).toEqual([{ model: 'group' }, { model: 'snapshot' }])
          yield* land('to', gains('to', 1, 2, 3))
        }
        expect(yield* attached).toEqual(moved)
        expect(yield* waiting).toEqual([])
        const entry = {
          message: sentence('the root namespace', 'namespace to'),
          run_id: expect.any(Number),
          user_name: '',
        }
        expect(yield* told).toEqual([
          { ...entry, title: `${name}/tank/to/vm/100` },
          { ...entry, title: `${name}/tank/to/vm/100/${may(2)}` },
        ])
      }),
    )
  })

  test('is logged as an update, and returns as itself when it moves back', async () => {
    await run(
      Effect.gen(function* () {
        const { server, land, gains, loses, attached } = yield* tagged('back')
        yield* land('to', gains('to', 1, 2, 3))
        yield* land('', yield* loses(''))
        const entries = yield* rows(
          `select model, before, after from changes where server_id = ${server} and action = 'update' and message <> '' order by id`,
        )
        expect(entries).toEqual(['group', 'snapshot'].map((model) => ({ model, before: bare, after: words })))
        yield* land('', gains('', 1, 2, 3))
        expect((yield* attached).groups).toEqual({ '': bare, to: words })
        yield* land('to', yield* loses('to'))
        expect(yield* attached).toEqual({
          groups: { '': words },
          snapshots: { '/1': bare, '/2': words, '/3': bare },
        })
      }),
    )
  })

  test('moves its values when its held deletions are confirmed', async () => {
    await run(
      Effect.gen(function* () {
        const { server, land, gains, loses, attached, waiting } = yield* tagged('held')
        yield* land('', yield* loses(''), { held: 'too_many' })
        yield* land('to', gains('to', 1, 2, 3))
        expect((yield* attached).groups).toEqual({ '': words, to: bare })
        const [set] = yield* rows<{ id: number; revision: number }>(
          `select id, revision from held_deletions where server_id = ${server}`,
        )
        const { id = 0, revision = 0 } = set ?? {}
        yield* (yield* HeldDeletionsStore).decide({ id, revision, state: 'confirmed', user: 'ann' })
        const decided = { missing: 'deleted', revision } as const
        yield* land('', yield* loses(''), { held: 'unconfirmed', decided })
        expect(yield* attached).toEqual(moved)
        expect(yield* waiting).toEqual([])
      }),
    )
  })

  test('moves its values with the merge of a branch', async () => {
    await run(
      Effect.gen(function* () {
        const { scope, gains, loses, attached, waiting, told } = yield* tagged('branch')
        const { id } = yield* newBranch('moved-group')
        yield* stageOnce(id, scope('to'), gains('to', 1, 2, 3))
        yield* stageOnce(id, scope(''), yield* loses(''))
        expect((yield* attached).groups).toEqual({ '': words })
        yield* merge(id, false)
        expect((yield* attached).groups).toEqual({ '': words })
        yield* merge(id)
        expect(yield* attached).toEqual(moved)
        expect(yield* waiting).toEqual([])
        expect(yield* told).toMatchObject([
          { title: 'branch/tank/to/vm/100', message: sentence('the root namespace', 'namespace to'), user_name: 'ann' },
          { title: `branch/tank/to/vm/100/${may(2)}`, user_name: 'ann' },
        ])
      }),
    )
  })

  test('of which some snapshots come later: each gets its own', async () => {
    await run(
      Effect.gen(function* () {
        const { land, gains, loses, attached, waiting, facts } = yield* tagged('parts')
        yield* land('to', gains('to', 1))
        yield* land('', yield* loses(''))
        expect(yield* attached).toEqual({ groups: { to: words }, snapshots: { 'to/1': bare } })
        expect(yield* waiting).toEqual([{ model: 'snapshot' }])
        yield* land('to', [{ model: 'snapshot', changes: [2, 3].map((day) => create('snapshot', facts('to', day))) }])
        expect(yield* attached).toEqual(moved)
        expect(yield* waiting).toEqual([])
      }),
    )
  })

  test('into a group that had newer backups already, before the old ones followed', async () => {
    await run(
      Effect.gen(function* () {
        const { land, gains, loses, attached, facts } = yield* tagged('newer')
        yield* land('to', gains('to', 9))
        yield* land('', yield* loses(''))
        expect((yield* attached).groups).toEqual({ to: bare })
        yield* land('to', [{ model: 'snapshot', changes: [2, 3].map((day) => create('snapshot', facts('to', day))) }])
        expect(yield* attached).toEqual({
          groups: { to: words },
          snapshots: { 'to/2': words, 'to/3': bare, 'to/9': bare },
        })
      }),
    )
  })

  test('adds to what people attached in the new place', async () => {
    await run(
      Effect.gen(function* () {
        const { land, gains, loses, attached, groups, tag } = yield* tagged('both')
        yield* land('to', gains('to', 1, 2, 3))
        const there = (yield* groups).find(({ namespace }) => namespace === 'to')
        yield* tag('group', there?.id ?? 0, { tags: [9], custom_fields: { '1': 'customer B', '2': 5 } })
        yield* land('', yield* loses(''))
        expect((yield* attached).groups).toEqual({
          to: { tags: [9, 7], custom_fields: { '1': 'customer B', '2': 5 } },
        })
      }),
    )
  })

  test('with many others, as when a namespace is renamed: more than are compared at a time', async () => {
    await run(
      Effect.gen(function* () {
        const { server, land, attached } = yield* tagged('many')
        const ids = Array.from({ length: 250 }, (_, nth) => `${1000 + nth}`)
        const gains = (namespace: string): ReadonlyArray<Part> => [
          {
            model: 'snapshot',
            changes: ids.map((id) => create('snapshot', snapshotFacts(server, id, may(1), { namespace }))),
          },
          { model: 'group', changes: ids.map((id) => create('group', groupFacts(server, id, { namespace }))) },
        ]
        yield* land('a', gains('a'))
        yield* rows(`update groups set tags = '[3]' where server_id = ${server} and namespace = 'a'`)
        yield* land('b', gains('b'))
        const of = (table: string) =>
          rows<{ id: number; backup_id: string }>(
            `select id, backup_id from ${table} where server_id = ${server} and namespace = 'a'`,
          )
        const facts = { namespace: 'a' }
        yield* land('a', [
          {
            model: 'snapshot',
            changes: (yield* of('snapshots')).map(({ id, backup_id }) =>
              remove('snapshot', id, snapshotFacts(server, backup_id, may(1), facts)),
            ),
          },
          {
            model: 'group',
            changes: (yield* of('groups')).map(({ id, backup_id }) =>
              remove('group', id, groupFacts(server, backup_id, facts)),
            ),
          },
        ])
        expect(
          yield* rows(
            `select namespace, tags, count(*) as count from groups where server_id = ${server} and backup_id <> '100' group by 1, 2`,
          ),
        ).toEqual([{ namespace: 'b', tags: [3], count: 250 }])
        expect((yield* attached).groups).toMatchObject({ '': words })
      }),
    )
  })

  test('that is copied: the copy gets nothing while both are there', async () => {
    await run(
      Effect.gen(function* () {
        const { land, gains, attached, told } = yield* tagged('copy')
        yield* land('to', gains('to', 1, 2, 3))
        yield* land('to', gains('to', 4))
        yield* land('', gains('', 4))
        expect((yield* attached).groups).toEqual({ '': words, to: bare })
        expect(yield* told).toEqual([])
      }),
    )
  })

  test('when another guest has its id: the values wait for its return', async () => {
    await run(
      Effect.gen(function* () {
        const { land, gains, loses, attached, waiting } = yield* tagged('other')
        yield* land('to', gains('to', 4, 5))
        yield* land('', yield* loses(''))
        yield* land('third', gains('third', 6))
        expect((yield* attached).groups).toEqual({ third: bare, to: bare })
        expect(yield* waiting).toEqual([{ model: 'group' }, { model: 'snapshot' }])
        yield* land('', gains('', 1, 2, 3))
        expect((yield* attached).groups).toEqual({ '': words, third: bare, to: bare })
      }),
    )
  })

  test('is not taken for moved when a user deleted it from the inventory', async () => {
    await run(
      Effect.gen(function* () {
        const { land, gains, attached, snapshots, waiting } = yield* tagged('deleted')
        const writes = yield* edits
        for (const { id } of yield* snapshots) yield* writes.remove({ model: 'snapshot', id })
        yield* land('to', gains('to', 1, 2, 3))
        expect(yield* waiting).toEqual([{ model: 'snapshot' }])
        yield* land('', gains('', 1, 2, 3))
        expect(yield* attached).toMatchObject({
          groups: { '': words, to: bare },
          snapshots: { '/2': words, 'to/2': bare },
        })
      }),
    )
  })

  test('on another server is another group', async () => {
    await run(
      Effect.gen(function* () {
        const one = yield* tagged('one')
        const two = yield* newServer('two')
        yield* one.land('', yield* one.loses(''))
        const at = (facts: Facts<'snapshot'>): Facts<'snapshot'> => ({ ...facts, server: two })
        yield* landOnce({ resource: 'snapshots', server: 'two', datastore: 'tank', namespace: '' }, [
          { model: 'snapshot', changes: [1, 2, 3].map((day) => create('snapshot', at(one.facts('', day)))) },
          { model: 'group', changes: [create('group', { ...one.group(''), server: two })] },
        ])
        expect(yield* rows(`select tags from groups where server_id = ${two}`)).toEqual([{ tags: [] }])
        expect(yield* one.waiting).toEqual([{ model: 'group' }, { model: 'snapshot' }])
      }),
    )
  })
})
