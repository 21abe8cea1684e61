import type { Scope } from '@netbox-pbs/core'
import { Branches, ChangeSets, type Landing } from '@netbox-pbs/core/ports'
import { appendAll, openFor, type Part } from '@netbox-pbs/testing'
import { Effect } from 'effect'
import { sql } from 'kysely'
import { Database } from '../../src/database/database.ts'

let runs = 100_000

/** Rows of a statement without parameters. */
export const ask = <A>(text: string) =>
  Effect.flatMap(Database, (database) =>
    database.query('asking', async (db) => (await sql.raw<A>(text).execute(db)).rows),
  )

/** Opens a branch of a run of its own. */
export const openBranch = (name: string) =>
  Effect.flatMap(Branches, (branches) => {
    runs += 1
    return branches.create({ name, kind: 'sync', description: '', user: '', runId: runs, review: false })
  })

/** Opens a change set of a run of its own, appends the parts and stages the scope in a branch. */
export const stageOnce = (branch: number, scope: Scope, parts: ReadonlyArray<Part>, more: Partial<Landing> = {}) =>
  Effect.gen(function* () {
    const changeSets = yield* ChangeSets
    runs += 1
    const runId = runs
    const changeSet = yield* openFor(runId, scope)
    yield* appendAll(changeSet, scope, parts)
    const at = '2026-06-02T00:00:00Z'
    const landing: Landing = {
      changeSet,
      scope,
      runId,
      at,
      visibility: 'all',
      held: null,
      listed: true,
      record: null,
      ...more,
    }
    const staged = yield* changeSets.stage({ ...landing, branch })
    yield* changeSets.close({ changeSet })
    return staged
  })
