import { type HeldDeletions, heldFields, type LoggedValues, scopeTitle } from '@netbox-pbs/core'
import {
  HeldDeletionsChanged,
  HeldDeletionsNotFound,
  HeldDeletionsStore,
  type StoreFailed,
} from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'
import { type RawBuilder, sql } from 'kysely'
import { logOther } from '../change-log/log-other.ts'
import { Database } from '../database/database.ts'
import { andSeen, seenServers } from '../database/seen-servers.ts'
import { recordCondition, recordCount, recordListOf, recordOrder, recordSlice } from '../tables/record-list.ts'
import { heldCount, heldIds, selectHeldSets } from './held-deletions-row.ts'

type Port = typeof HeldDeletionsStore.Service

/** Held deletions, and the operators' decisions on them. */
export const heldDeletionsLayer: Layer.Layer<HeldDeletionsStore, never, Database> = Layer.effect(
  HeldDeletionsStore,
  Effect.map(Database, (database) =>
    HeldDeletionsStore.of({
      list: Effect.fn('HeldDeletionsStore.list')(function* ({ runId, where: filters, order: terms, ...request }) {
        const ofUser = andSeen(yield* seenServers, sql`h.server_id`)
        return yield* database.query('reading held deletions', async (db) => {
          const asked = await recordCondition(db, heldList, filters)
          const where = sql`${heldCount} > 0 and ${runId === null ? sql`h.state = 'waiting'` : ofRun(runId)} and ${asked} ${ofUser}`
          const own = { id: heldList.id, order: recordOrder(heldList, terms) }
          const { begin, order, limit, ...slice } = recordSlice(request, own)
          const count = await recordCount(db, slice, sql`from held_deletions h where ${where}`)
          const page = sql`h.id in (
            select h.id from held_deletions h where ${where} and ${begin} order by ${order} ${limit}
          )`
          return { count, rows: await selectHeldSets(db, page, order) }
        })
      }),
      get: Effect.fn('HeldDeletionsStore.get')(function* ({ id, runId }) {
        if (!Number.isSafeInteger(id)) return Option.none()
        const ofUser = andSeen(yield* seenServers, sql`h.server_id`)
        const where = sql`h.id = ${id}::bigint ${runId === null ? sql`` : sql`and ${ofRun(runId)}`} ${ofUser}`
        const [set] = yield* database.query('reading held deletions', (db) => selectHeldSets(db, where))
        return Option.fromNullable(set)
      }),
      sample: Effect.fn('HeldDeletionsStore.sample')(({ id, limit }) =>
        database.query('reading the rows of held deletions', (db) => heldIds(db, id, limit)),
      ),
      waiting: Effect.fn('HeldDeletionsStore.waiting')(function* () {
        const ofUser = andSeen(yield* seenServers, sql`h.server_id`)
        const { rows } = yield* database.query('counting what waits', (db) =>
          sql<{ count: number }>`
            select coalesce(sum(${heldCount}), 0)::bigint as count from held_deletions h
            where h.state = 'waiting' and (h.kept or h.reason <> 'children_held') ${ofUser}`.execute(db),
        )
        return rows[0]?.count ?? 0
      }),
      decide: (request) => decide(database, request),
    }),
  ),
)

/** The list of held deletions `h`. */
const heldList = recordListOf(heldFields, {
  columns: {
    id: sql`h.id`,
    state: sql`h.state`,
    reason: sql`h.reason`,
    revision: sql`h.revision`,
    count: heldCount,
    since: sql`h.since`,
    decided_by: sql`h.decided_by`,
    decided_at: sql`h.decided_at`,
  },
  order: sql`h.id`,
  id: sql`h.id`,
})

/** Whether a run held or refreshed the deletions `h`. */
const ofRun = (runId: number): RawBuilder<boolean> =>
  sql<boolean>`exists (select from held_deletions_runs r where r.held_deletions_id = h.id and r.run_id = ${runId}::bigint)`

/** The log's record of held deletions and the decision on them, under the names of REST. */
const decisionRecord = ({ state, reason, revision, count, decided }: HeldDeletions): LoggedValues => ({
  state,
  reason,
  revision,
  count,
  decided_by: decided?.by ?? null,
  decided_at: decided?.at ?? null,
})

/**
 * Records a decision under the lock that a landing of the scope takes too, so that the decision is
 * on the current rows.
 */
const decide = Effect.fn('HeldDeletionsStore.decide')(function* (
  database: Database['Type'],
  { id, revision, state, user, requestId }: Parameters<Port['decide']>[0],
): Effect.fn.Return<HeldDeletions, StoreFailed | HeldDeletionsNotFound | HeldDeletionsChanged> {
  if (!Number.isSafeInteger(id)) return yield* new HeldDeletionsNotFound({ id })
  const theSet = sql`h.id = ${id}::bigint ${andSeen(yield* seenServers, sql`h.server_id`)}`
  return yield* database.transaction('deciding on held deletions', async (trx) => {
    const { rows: locked } = await sql<{
      server_id: number
    }>`select server_id from held_deletions where id = ${id}::bigint for update`.execute(trx)
    const [set] = await selectHeldSets(trx, theSet)
    if (set === undefined || set.count === 0) return new HeldDeletionsNotFound({ id })
    if (set.state === state) return new HeldDeletionsChanged({ reason: 'decided', set })
    if (revision !== null && revision !== set.revision)
      return new HeldDeletionsChanged({ reason: 'another_revision', set })
    await sql`
      update held_deletions h set state = ${state}, kept = h.kept or ${state === 'dismissed'}, decided_by = ${user},
        decided_at = now(), decided_count = ${set.count}::bigint
      where ${theSet}`.execute(trx)
    const [decided] = await selectHeldSets(trx, theSet)
    if (decided === undefined) return new HeldDeletionsNotFound({ id })
    await logOther(trx, {
      action: 'update',
      model: 'held_deletions',
      id,
      title: scopeTitle(decided.scope),
      serverId: locked[0]?.server_id,
      before: decisionRecord(set),
      after: decisionRecord(decided),
      by: requestId === undefined ? undefined : { user, requestId },
    })
    return decided
  })
})
