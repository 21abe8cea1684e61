import { Branches, ChangeSets, type Inventory } from '@netbox-pbs/core/ports'
import {
  appendAll,
  change,
  create,
  groupFacts,
  landOnce,
  may,
  openFor,
  rootOf,
  serverFacts,
  snapshotFacts,
} from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { sql } from 'kysely'
import { afterAll, describe, expect, test } from 'vitest'
import { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { engines } from './engines.ts'

/** The group before each update: two verified backups on 1 and 2 May, one that runs since 3 May. */
const before = {
  ...{ snapshot_count: 3, missing_count: 0, manual_count: 0, first_backup: may(1), last_backup: may(2) },
  ...{ unfinished_since: may(3), total_size: 20, newest_verification: 'ok' },
}
const facts = (server: number, day: number) =>
  snapshotFacts(server, '100', may(day), {
    ...{ size_bytes: day === 3 ? null : 10, finished: day !== 3, verification_state: day === 3 ? '' : 'ok' },
  })

interface Update {
  readonly title: string
  /** The day of the snapshot that is updated. */
  readonly day: number
  readonly to: Parameters<typeof change>[3]
  /** The state of the row in main, other than listed. */
  readonly presence?: 'missing' | 'manual'
  /** The counters that differ after it. */
  readonly after: Readonly<Record<string, string | number | null>>
}

const updates: ReadonlyArray<Update> = [
  { title: 'a comment', day: 2, to: { comment: 'new' }, after: {} },
  { title: 'the verification of an older backup', day: 1, to: { verification_state: 'failed' }, after: {} },
  {
    title: 'the verification of the newest backup',
    day: 2,
    to: { verification_state: 'failed' },
    after: { newest_verification: 'failed' },
  },
  { title: 'the verification of a running backup', day: 3, to: { verification_state: 'failed' }, after: {} },
  {
    title: 'the end of a running backup',
    day: 3,
    to: { finished: true, size_bytes: 5 },
    after: { last_backup: may(3), unfinished_since: null, total_size: 25, newest_verification: '' },
  },
  { title: 'a size', day: 1, to: { size_bytes: 7 }, after: { total_size: 17 } },
  { title: 'nothing of a missing row', day: 1, to: {}, presence: 'missing', after: {} },
  { title: 'a comment of a row that a user made', day: 1, to: { comment: 'new' }, presence: 'manual', after: {} },
]

describe.each(engines)('the counters of a group on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const run = <A, E>(effect: Effect.Effect<A, E, Branches | ChangeSets | Database | Inventory>) =>
    runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  const rows = <A>(text: string) =>
    Effect.flatMap(Database, (database) =>
      database.query('asking', async (db) => (await sql.raw<A>(text).execute(db)).rows),
    )
  const groupOf = (server: number) =>
    rows(`select ${Object.keys(before).join(', ')}, digest from groups where server_id = ${server}`)

  /** A group of main with a digest, and the staged update of one of its snapshots. */
  const prepared = (name: string, { day, to, presence }: Update) =>
    Effect.gen(function* () {
      yield* landOnce({ resource: 'servers' }, [{ model: 'server', changes: [create('server', serverFacts(name))] }])
      const [found] = yield* rows<{ id: number }>(`select id from servers where name = '${name}'`)
      const server = found?.id ?? 0
      yield* landOnce(rootOf(name), [
        { model: 'group', changes: [create('group', groupFacts(server, '100'))] },
        { model: 'snapshot', changes: [1, 2, 3].map((one) => create('snapshot', facts(server, one))) },
      ])
      yield* rows(`update groups set digest = 'stored' where server_id = ${server}`)
      const [row] = yield* rows<{ id: number }>(
        `select id from snapshots where server_id = ${server} and backup_time = '${may(day)}'`,
      )
      if (presence !== undefined) {
        yield* rows(`update snapshots set presence = '${presence}' where id = ${row?.id}`)
        yield* rows(`update groups set ${presence}_count = 1 where server_id = ${server}`)
      }
      const appears = presence !== undefined
      return {
        server,
        part: {
          model: 'snapshot',
          changes: [change('snapshot', row?.id ?? 0, facts(server, day), to, appears)],
        } as const,
      }
    })

  test.each(updates)('are right after a landing of $title', async (update) => {
    await run(
      Effect.gen(function* () {
        const name = `landed ${updates.indexOf(update)}`
        const { server, part } = yield* prepared(name, update)
        yield* landOnce(rootOf(name), [part])
        expect(yield* groupOf(server)).toEqual([{ ...before, ...update.after, digest: 'stored' }])
      }),
    )
  })

  test.each(updates)('are right, and its digest is cleared, after a merge of $title', async (update) => {
    await run(
      Effect.gen(function* () {
        const name = `merged ${updates.indexOf(update)}`
        const { server, part } = yield* prepared(name, update)
        const branches = yield* Branches
        const changeSets = yield* ChangeSets
        const runId = 900 + updates.indexOf(update)
        const { id: branch } = yield* branches.create({
          ...{ name, kind: 'sync', description: '', user: '', runId, review: false },
        })
        const scope = rootOf(name)
        const changeSet = yield* openFor(runId, scope)
        yield* appendAll(changeSet, scope, [part])
        yield* changeSets.stage({
          ...{
            changeSet,
            scope,
            runId,
            at: '2026-06-02T00:00:00Z',
            visibility: 'all',
            held: null,
            listed: true,
            record: null,
            branch,
          },
        })
        yield* branches.merge({
          ...{ id: branch, at: '2026-06-03T00:00:00Z', approval: false, commit: true },
          by: { user: 'ada', requestId: '5f6c0f6e-6a53-4a3a-9c0b-0a4d0c7f0001' },
        })
        expect(yield* groupOf(server)).toEqual([{ ...before, ...update.after, digest: null }])
      }),
    )
  })
})
