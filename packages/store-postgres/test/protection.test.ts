import { type Change, type ObjectiveRuleValues, protectionOf } from '@netbox-pbs/core'
import { InventoryLists, InventoryWrites, Objectives } from '@netbox-pbs/core/ports'
import {
  change,
  create,
  datastoreFacts,
  groupFacts,
  landOnce,
  objectiveValues,
  remove,
  serverFacts,
  serverIdOf,
  snapshotFacts,
} from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { sql } from 'kysely'
import { afterAll, describe, expect, test } from 'vitest'
import { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { expectVerified } from './contract/verified.ts'
import { engines } from './engines.ts'

const actor = { user: 'ada', requestId: '5c0f2f7e-0000-4000-8000-000000000086' }
const hour = 3600

/** Whole seconds since 1970, some hours ago. */
const began = Math.floor(Date.now() / 1000)
const ago = (hours: number) => began - hours * hour
const timeOf = (seconds: number) => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
const upid = (node: string, at: number) =>
  `UPID:${node}:000003E8:00000ABC:00000001:${at.toString(16).toUpperCase()}:verificationjob:tank:root@pam:`

describe.each(engines)('the protection of groups on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const run = <A, E>(effect: Effect.Effect<A, E, Layer.Layer.Success<typeof inventoryLayer> | Database>) =>
    runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  const rows = <A>(text: string) =>
    Effect.flatMap(Database, (database) =>
      database.query('asking', async (db) => (await sql.raw<A>(text).execute(db)).rows),
    )
  const serverWith = (name: string) =>
    Effect.gen(function* () {
      yield* landOnce({ resource: 'servers' }, [{ model: 'server', changes: [create('server', serverFacts(name))] }])
      const server = (yield* serverIdOf(name)) ?? 0
      yield* landOnce({ resource: 'datastores', server: name }, [
        { model: 'datastore', changes: [create('datastore', datastoreFacts(server, 'tank'))] },
      ])
      return server
    })
  const rule = (name: string, values: Partial<ObjectiveRuleValues>) =>
    Effect.flatMap(Objectives, (o) => o.create({ values: objectiveValues(name, values), actor }))
  const land = (
    server: string,
    changes: { groups?: ReadonlyArray<Change>; snapshots?: ReadonlyArray<Change> },
    more: Parameters<typeof landOnce>[2] & { readonly namespace?: string } = {},
  ) => {
    const { namespace = '', ...landing } = more
    return landOnce(
      { resource: 'snapshots', server, datastore: 'tank', namespace },
      [
        { model: 'group' as const, changes: changes.groups ?? [] },
        { model: 'snapshot' as const, changes: changes.snapshots ?? [] },
      ].filter((part) => part.changes.length > 0),
      { at: timeOf(began), ...landing },
    )
  }
  /** Each group of a server by its id, as lists show it. */
  const served = (server: number, fields: ReadonlyArray<string> = ['protection', 'protection_since']) =>
    Effect.gen(function* () {
      const lists = yield* InventoryLists
      const { rows: found } = yield* lists.list({
        model: 'group',
        filters: [{ field: 'server', lookup: 'exact', values: [server] }],
        search: null,
        order: [],
        page: { _tag: 'offset', limit: 500, offset: 0 },
      })
      return Object.fromEntries(
        found.map((row) => [
          row.backup_id,
          fields.map((field) => (row as unknown as Record<string, unknown>)[field] ?? null),
        ]),
      )
    })
  const groupIn = (
    server: number,
    id: string,
    snapshots: ReadonlyArray<Parameters<typeof snapshotFacts>[3] & object>,
  ) => ({
    groups: [create('group', groupFacts(server, id))],
    snapshots: snapshots.map((more) => create('snapshot', snapshotFacts(server, id, '', more))),
  })
  const at = (hours: number, more: object = {}) => ({ backup_time: timeOf(ago(hours)), ...more })

  test('is that of core, for every case of it', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* serverWith('every')
        yield* rows(`insert into server_nodes (server_id, node) values (${server}, 'own')`)
        const other = yield* serverWith('other')
        yield* rows(`insert into server_nodes (server_id, node) values (${other}, 'far')`)
        const failed = { verification_state: 'failed', verification_upid: upid('own', ago(1)) }
        const groups: Readonly<Record<string, ReadonlyArray<object>>> = {
          young: [at(2), at(26)],
          old: [at(40)],
          future: [at(-2), at(40)],
          'future-alone': [at(-2)],
          'minute-ahead': [at(-1 / 60)],
          failed: [at(2, failed)],
          'failed-old': [at(40, failed)],
          'failed-before': [at(2), at(3, failed)],
          'failed-elsewhere': [at(2, { ...failed, verification_upid: upid('far', ago(1)) })],
          'failed-unknown': [at(2, { ...failed, verification_upid: '' })],
          unfinished: [at(3, { finished: false }), at(2, { finished: false })],
          'unfinished-too': [at(3), at(2, { finished: false })],
          weekly: [0, 7, 14, 21].map((days) => at(days * 24 + 100)),
          empty: [],
          ignored: [at(400)],
        }
        const all = Object.entries(groups).map(([id, snapshots]) => groupIn(server, id, snapshots))
        yield* rule('ignored', { backup_id: 'ignored', hours: null })
        yield* land('every', {
          groups: all.flatMap((group) => group.groups),
          snapshots: all.flatMap((group) => group.snapshots),
        })
        const facts = {
          age: 26 * hour,
          listed: true,
          unfinishedSince: null,
          running: false,
          readAt: began,
          offSince: null,
        }
        const backups = (...hours: ReadonlyArray<number>) =>
          hours.map((hoursAgo) => ({ time: ago(hoursAgo), verification: 'none' as const, verifiedAt: null }))
        const bad = (hoursAgo: number) => [{ time: ago(hoursAgo), verification: 'failed' as const, verifiedAt: ago(1) }]
        const expected = {
          young: protectionOf({ ...facts, backups: backups(2, 26) }, began),
          old: protectionOf({ ...facts, backups: backups(40) }, began),
          future: protectionOf({ ...facts, backups: backups(-2, 40) }, began),
          'future-alone': protectionOf({ ...facts, backups: backups(-2) }, began),
          'minute-ahead': protectionOf({ ...facts, backups: backups(-1 / 60) }, began),
          failed: protectionOf({ ...facts, backups: bad(2) }, began),
          'failed-old': protectionOf({ ...facts, backups: bad(40) }, began),
          'failed-before': protectionOf({ ...facts, backups: [...backups(2), ...bad(3)] }, began),
          'failed-elsewhere': protectionOf({ ...facts, backups: backups(2) }, began),
          // That it failed is known, and not when.
          'failed-unknown': { state: 'at_risk', since: null },
          unfinished: protectionOf({ ...facts, backups: [], unfinishedSince: ago(3) }, began),
          'unfinished-too': protectionOf({ ...facts, backups: backups(3), unfinishedSince: ago(2) }, began),
          weekly: protectionOf({ ...facts, age: 8 * 24 * hour, backups: backups(100) }, began),
          empty: protectionOf({ ...facts, backups: [] }, began),
          ignored: protectionOf({ ...facts, age: null, backups: backups(400) }, began),
        }
        expect(yield* served(server)).toEqual(
          Object.fromEntries(
            Object.entries(expected).map(([id, { state, since }]) => [
              id,
              [state, since === null ? null : timeOf(since)],
            ]),
          ),
        )
        yield* expectVerified
      }),
    )
  })

  test('changes with what is around it, and nothing of the group is written', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* serverWith('around')
        const ended = timeOf(ago(14))
        yield* land('around', groupIn(server, '1', [at(40)]), { at: timeOf(ago(15)) })
        const before = yield* rows(`select xmin::text, * from groups where server_id = ${server}`)
        expect(yield* served(server)).toEqual({ 1: ['unknown', ended] })
        yield* land('around', {})
        expect(yield* served(server)).toEqual({ 1: ['late', ended] })
        yield* rows(`update datastores set maintenance = 'offline: disks' where server_id = ${server}`)
        const [off] = yield* rows<{ off: string }>(
          `select off_since as off from datastores where server_id = ${server}`,
        )
        expect(yield* served(server)).toEqual({ 1: ['unknown', off?.off] })
        yield* rows(`update datastores set maintenance = 'read-only: kept' where server_id = ${server}`)
        expect(yield* served(server)).toEqual({ 1: ['late', ended] })
        expect(yield* rows(`select xmin::text, * from groups where server_id = ${server}`)).toEqual(before)
      }),
    )
  })

  test('of one that its source no longer lists is missing; of one that a list has lacked once it stays', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* serverWith('lacks')
        yield* land('lacks', groupIn(server, 'once', [at(2)]))
        yield* land('lacks', groupIn(server, 'held', [at(2)]))
        const [once, held] = yield* rows<{ id: number }>(
          `select id from groups where server_id = ${server} order by backup_id desc`,
        )
        const scope = { resource: 'snapshots', server: 'lacks', datastore: 'tank', namespace: '' } as const
        const sightings = { noted: [once?.id ?? 0], returned: [] }
        yield* landOnce(scope, [{ model: 'group', changes: [], sightings }], { at: timeOf(began) })
        const hold = remove('group', held?.id ?? 0, groupFacts(server, 'held'))
        yield* land('lacks', { groups: [hold] }, { held: 'too_many' })
        expect(yield* served(server)).toEqual({ once: ['protected', null], held: ['missing', null] })
        yield* expectVerified
      }),
    )
  })

  test('a first backup that runs is unknown, one that was left is at risk', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* serverWith('runs')
        yield* land('runs', groupIn(server, '7', [at(0.5, { finished: false })]))
        expect(yield* served(server)).toEqual({ 7: ['at_risk', timeOf(ago(0.5))] })
        const task = (column: string) =>
          `insert into tasks (server_id, upid, node, worker_type, worker_id, "user", starttime, outcome, datastore_name, backup_type, backup_id, presence)
          values (${server}, 'UPID:${column}', '', 'backup', 'tank:vm/7', 'root@pam', now(), 'running', 'tank', 'vm', '7', 'listed')`
        yield* rows(task('a'))
        expect(yield* served(server)).toEqual({ 7: ['unknown', timeOf(ago(0.5))] })
        yield* rows(`update tasks set outcome = 'ok' where server_id = ${server}`)
        expect(yield* served(server)).toEqual({ 7: ['at_risk', timeOf(ago(0.5))] })
      }),
    )
  })

  test('a change of rules makes groups unknown until their namespace is judged by them', async () => {
    await run(
      Effect.gen(function* () {
        const objectives = yield* Objectives
        const server = yield* serverWith('ruled')
        yield* land('ruled', groupIn(server, '1', [at(5)]))
        yield* land('ruled', groupIn(server, '2', [at(5)]))
        const fields = ['protection', 'objective', 'objective_rule']
        const kept = ['protected', 26 * hour, null]
        expect(yield* served(server, fields)).toEqual({ 1: kept, 2: kept })
        const { id } = yield* rule('four', { server: 'rul??', backup_id: '1', hours: 4 })
        expect(yield* served(server)).toEqual({ 1: ['unknown', null], 2: ['unknown', null] })
        yield* land('ruled', {})
        expect(yield* served(server, fields)).toEqual({ 1: ['late', 4 * hour, id], 2: kept })
        yield* objectives.update({ id, change: { hours: 6 }, actor, versions: undefined })
        yield* objectives.judge()
        expect(yield* served(server, fields)).toEqual({ 1: ['protected', 6 * hour, id], 2: kept })
        yield* rows(`update servers set name = 'renamed' where id = ${server}`)
        expect(yield* served(server)).toEqual({ 1: ['unknown', null], 2: ['unknown', null] })
        yield* objectives.judge()
        expect(yield* served(server, fields)).toEqual({ 1: kept, 2: kept })
        yield* objectives.remove({ id, actor, versions: undefined })
        yield* objectives.judge()
        expect(yield* served(server, fields)).toEqual({ 1: kept, 2: kept })
        yield* expectVerified
      }),
    )
  })

  test('a group takes the rule of its tag when it gets the tag, and when the tag gets the name', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* serverWith('tagged')
        yield* rule('gold', { tag: 'gold', hours: 1 })
        yield* land('tagged', groupIn(server, '1', [at(5)]))
        const [tag] = yield* rows<{ id: number }>(
          `insert into tags (values) values ('{"name": "Gold", "slug": "gold"}') returning id`,
        )
        const [group] = yield* rows<{ id: number }>(`select id from groups where server_id = ${server}`)
        expect(yield* served(server)).toEqual({ 1: ['protected', null] })
        const writes = yield* InventoryWrites
        yield* writes.update({
          model: 'group',
          rows: [{ id: group?.id ?? 0, values: { tags: [tag?.id ?? 0] }, versions: undefined }],
          actor,
        })
        expect(yield* served(server)).toEqual({ 1: ['late', timeOf(ago(4))] })
        const objectives = yield* Objectives
        yield* rows(`update tags set values = '{"name": "Gold", "slug": "silver"}'`)
        yield* objectives.judge()
        expect(yield* served(server)).toEqual({ 1: ['protected', null] })
        yield* rows(`update tags set values = '{"name": "Gold", "slug": "gold"}'`)
        yield* objectives.judge()
        expect(yield* served(server)).toEqual({ 1: ['late', timeOf(ago(4))] })
        yield* rows(`update tags set removed = now()`)
        yield* objectives.judge()
        expect(yield* served(server)).toEqual({ 1: ['protected', null] })
        yield* expectVerified
      }),
    )
  })

  test('a new backup, a changed one and a deleted one are judged as they land', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* serverWith('lands')
        yield* land('lands', groupIn(server, '1', [at(40)]))
        expect(yield* served(server)).toEqual({ 1: ['late', timeOf(ago(14))] })
        const facts = snapshotFacts(server, '1', timeOf(ago(1)))
        yield* land('lands', { snapshots: [create('snapshot', facts)] })
        expect(yield* served(server)).toEqual({ 1: ['protected', null] })
        const [row] = yield* rows<{ id: number }>(`select max(id) as id from snapshots where server_id = ${server}`)
        const id = row?.id ?? 0
        const failed = { verification_state: 'failed', verification_upid: upid('none', ago(0.5)) }
        yield* land('lands', { snapshots: [change('snapshot', id, facts, failed)] })
        expect(yield* served(server)).toEqual({ 1: ['at_risk', timeOf(ago(0.5))] })
        yield* land('lands', { snapshots: [remove('snapshot', id, facts)] })
        expect(yield* served(server)).toEqual({ 1: ['late', timeOf(ago(14))] })
        yield* expectVerified
      }),
    )
  })

  test('is filtered with counts, and ordered by severity', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* serverWith('lists')
        yield* rule('lists', { server: 'lists', backup_id: 'n', hours: null })
        for (const [id, snapshots] of [
          ['a', [at(2)]],
          ['b', [at(40)]],
          ['c', []],
          ['n', [at(2)]],
          ['r', [at(2, { verification_state: 'failed' })]],
          ['z', [at(41)]],
        ] as const)
          yield* land('lists', groupIn(server, id, snapshots))
        yield* (yield* Objectives).judge()
        const lists = yield* InventoryLists
        const ids = (
          values: ReadonlyArray<string>,
          order: ReadonlyArray<{ field: string; descending: boolean }> = [],
        ) =>
          Effect.map(
            lists.list({
              model: 'group',
              filters: [
                { field: 'server', lookup: 'exact', values: [server] },
                ...(values.length === 0 ? [] : [{ field: 'protection', lookup: 'exact', values } as const]),
              ],
              search: null,
              order,
              page: { _tag: 'offset', limit: 50, offset: 0 },
            }),
            ({ count, rows: found }) => [count, found.map(({ backup_id }) => backup_id).join(' ')],
          )
        expect(yield* ids(['late'])).toEqual([2, 'b z'])
        expect(yield* ids(['protected', 'missing'])).toEqual([2, 'a c'])
        expect(yield* ids(['at_risk'])).toEqual([1, 'r'])
        expect(yield* ids(['unknown'])).toEqual([0, ''])
        expect(yield* ids(['not_watched'])).toEqual([1, 'n'])
        expect(yield* ids([], [{ field: 'protection', descending: false }])).toEqual([6, 'c r b z a n'])
        expect(yield* ids([], [{ field: 'protection', descending: true }])).toEqual([6, 'n a b z r c'])
        expect(yield* ids(['late'], [{ field: 'fresh_until', descending: false }])).toEqual([2, 'z b'])
      }),
    )
  })

  test('a backup of the future makes the group unknown when it has come, until it is judged', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* serverWith('comes')
        yield* land('comes', groupIn(server, '1', [at(-2), at(40)]))
        expect(yield* served(server)).toEqual({ 1: ['late', timeOf(ago(14))] })
        // As if two hours had passed.
        yield* rows(`update snapshots set backup_time = backup_time - interval '2 hours' where server_id = ${server}`)
        yield* rows(
          `update groups set judge_again_at = judge_again_at - interval '2 hours' where server_id = ${server}`,
        )
        expect(yield* served(server)).toEqual({ 1: ['unknown', null] })
        yield* (yield* Objectives).judge()
        expect(yield* served(server)).toEqual({ 1: ['protected', null] })
      }),
    )
  })
})
