import { naturalKey } from '@netbox-pbs/core'
import { Branches, ChangeSets } from '@netbox-pbs/core/ports'
import { appendAll, collect, newBranch, newRun, newScope, openFor } from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { type Kysely, sql } from 'kysely'
import { afterAll, describe, expect, test } from 'vitest'
import { Database } from '../src/database/database.ts'
import type { Tables } from '../src/database/tables.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { engines } from './engines.ts'

// The embedded engine has one connection, so no other transaction can run in between.
describe.each(engines.filter(({ engine }) => engine === 'pg'))('a group that waits', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  afterAll(() => runtime.dispose())

  /** Opens a change set with a change of a group, of a scope that it makes. */
  const opened = (name: string) =>
    Effect.gen(function* () {
      const { server, scope, group, groupId, adds } = yield* newScope(name, [1])
      const branch = yield* newBranch(name)
      const runId = yield* newRun
      const digests = [{ key: naturalKey('group', group), digest: name, listed: 2 }]
      const open = Effect.tap(openFor(runId, scope), (changeSet) =>
        appendAll(changeSet, scope, [adds(2), { model: 'group', changes: [], digests }]),
      )
      /** Stages the change, and gives the digests of the groups that wait then. */
      const stage = (changeSet: number) =>
        Effect.gen(function* () {
          yield* (yield* ChangeSets).stage({
            ...{ changeSet, scope, runId, branch: branch.id, at: '2026-06-02T00:00:00Z', visibility: 'wide' },
            ...{ held: null, listed: true, record: null },
          })
          const place = { serverId: server, datastore: 'tank', namespace: '' }
          return (yield* collect((yield* Branches).waitingGroups(place))).map(({ digest }) => digest)
        })
      return { groupId, open, stage }
    })

  /** Runs something while a transaction goes on, and ends that. */
  const duringWrite = <A>(work: (trx: Kysely<Tables>) => Promise<A>): Promise<A> =>
    runtime.runPromise(
      Effect.flatMap(Database, (database) =>
        database.transaction('going on', async (trx) => {
          await sql`select pg_current_xact_id()`.execute(trx)
          return { done: await work(trx) }
        }),
      ).pipe(Effect.map(({ done }) => done)),
    )

  test('is known although another transaction went on all the time', async () => {
    const found = await duringWrite(() =>
      runtime.runPromise(
        Effect.gen(function* () {
          const { open, stage } = yield* opened('went on')
          return yield* stage(yield* open)
        }),
      ),
    )
    expect(found).toEqual(['went on'])
  })

  test('is not known when that transaction wrote its row', async () => {
    const { groupId, open, stage } = await runtime.runPromise(opened('was written'))
    const changeSet = await duringWrite(async (trx) => {
      await sql`update groups set comment = 'edited' where id = ${groupId}`.execute(trx)
      return await runtime.runPromise(open)
    })
    expect(await runtime.runPromise(stage(changeSet))).toEqual([])
  })
})
