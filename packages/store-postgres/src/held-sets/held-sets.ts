import { type HeldSet, type LoggedValues, scopeTitle } from '@netbox-pbs/core'
import { HeldSetChanged, HeldSetGone, HeldSets, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'
import { type RawBuilder, sql } from 'kysely'
import { logOther } from '../changes/log-other.ts'
import { Database } from '../database/database.ts'
import { heldCount, heldIds, selectHeldSets } from './held-set-row.ts'

type Port = typeof HeldSets.Service

/** Held sets, and the decisions that operators take of them. */
export const heldSetsLayer: Layer.Layer<HeldSets, never, Database> = Layer.effect(
  HeldSets,
  Effect.map(Database, (database) =>
    HeldSets.of({
      list: Effect.fn('HeldSets.list')(function* ({ runId, limit, offset }) {
        const where = sql`${heldCount} > 0 and ${runId === null ? sql`h.state = 'waiting'` : ofRun(runId)}`
        const { rows } = yield* database.query('counting held sets', (db) =>
          sql<{ count: number }>`select count(*) as count from held_sets h where ${where}`.execute(db),
        )
        const page = sql`h.id in (
          select h.id from held_sets h where ${where} order by h.id limit ${limit}::bigint offset ${offset}::bigint
        )`
        const sets = yield* database.query('reading held sets', (db) => selectHeldSets(db, page))
        return { count: rows[0]?.count ?? 0, rows: sets }
      }),
      get: Effect.fn('HeldSets.get')(function* ({ id, runId }) {
        if (!Number.isSafeInteger(id)) return Option.none()
        const where = runId === null ? sql`h.id = ${id}::bigint` : sql`h.id = ${id}::bigint and ${ofRun(runId)}`
        const [set] = yield* database.query('reading a held set', (db) => selectHeldSets(db, where))
        return Option.fromNullable(set)
      }),
      sample: Effect.fn('HeldSets.sample')(({ id, limit }) =>
        database.query('reading the rows of a held set', (db) => heldIds(db, id, limit)),
      ),
      waiting: Effect.fn('HeldSets.waiting')(function* () {
        const { rows } = yield* database.query('counting what waits', (db) =>
          sql<{ count: number }>`
            select coalesce(sum(${heldCount}), 0)::bigint as count from held_sets h
            where h.state = 'waiting' and (h.kept or h.reason <> 'children_held')`.execute(db),
        )
        return rows[0]?.count ?? 0
      }),
      decide: (request) => decide(database, request),
    }),
  ),
)

/** Whether a run held or refreshed the set `h`. */
const ofRun = (runId: number): RawBuilder<boolean> =>
  sql<boolean>`exists (select from held_set_runs r where r.held_set_id = h.id and r.run_id = ${runId}::bigint)`

/** What the log tells of a held set and its decision, under the names of REST. */
const told = ({ state, reason, revision, count, decided }: HeldSet): LoggedValues => ({
  state,
  reason,
  revision,
  count,
  decided_by: decided?.by ?? null,
  decided_at: decided?.at ?? null,
})

/** Takes a decision under the set's lock, which a landing of its scope holds too: what is decided is what is there. */
const decide = Effect.fn('HeldSets.decide')(function* (
  database: Database['Type'],
  { id, revision, state, user, requestId }: Parameters<Port['decide']>[0],
): Effect.fn.Return<HeldSet, StoreFailed | HeldSetGone | HeldSetChanged> {
  if (!Number.isSafeInteger(id)) return yield* new HeldSetGone({ id })
  const theSet = sql`h.id = ${id}::bigint`
  return yield* database.transaction('deciding on a held set', (run) =>
    Effect.gen(function* () {
      const { rows: locked } = yield* run((db) =>
        sql<{ server_id: number }>`select server_id from held_sets where id = ${id}::bigint for update`.execute(db),
      )
      const [set] = yield* run((db) => selectHeldSets(db, theSet))
      if (set === undefined || set.count === 0) return yield* new HeldSetGone({ id })
      if (set.state === state) return yield* new HeldSetChanged({ reason: 'decided', set })
      if (revision !== null && revision !== set.revision)
        return yield* new HeldSetChanged({ reason: 'another_revision', set })
      yield* run((db) =>
        sql`
          update held_sets h set state = ${state}, kept = h.kept or ${state === 'dismissed'}, decided_by = ${user},
            decided_at = now(), decided_count = ${set.count}::bigint
          where ${theSet}`.execute(db),
      )
      const [decided] = yield* run((db) => selectHeldSets(db, theSet))
      if (decided === undefined) return yield* new HeldSetGone({ id })
      yield* run((db) =>
        logOther(db, {
          action: 'update',
          model: 'held_set',
          id,
          title: scopeTitle(decided.scope),
          serverId: locked[0]?.server_id,
          before: told(set),
          after: told(decided),
          by: requestId === undefined ? undefined : { user, requestId },
        }),
      )
      return decided
    }),
  )
})
