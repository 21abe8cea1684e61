import { type Finding, findingFields, type LoggedValues } from '@netbox-pbs/core'
import { FindingClosed, Findings, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { logOther } from '../change-log/log-other.ts'
import { Database } from '../database/database.ts'
import { andSeen, seenServers } from '../database/seen-servers.ts'
import type { Tables } from '../database/tables.ts'
import {
  anyContains,
  recordCondition,
  recordCount,
  recordListOf,
  recordOrder,
  recordSlice,
} from '../tables/record-list.ts'
import { evaluate, isDue } from './evaluate.ts'

type Port = typeof Findings.Service

/** Findings, and their evaluation. */
export const findingsLayer: Layer.Layer<Findings, never, Database> = Layer.effect(
  Findings,
  Effect.map(Database, (database) =>
    Findings.of({
      evaluate: Effect.fn('Findings.evaluate')(function* (request) {
        // Asked first without the lock, which would write the row at every look.
        if (!(yield* database.query('looking for findings', (db) => isDue(db, request)))) return Option.none()
        const counts = yield* database.transaction('judging the findings', (trx) => evaluate(trx, request))
        return Option.fromNullable(counts)
      }),
      list: Effect.fn('Findings.list')(function* ({ filter, ...request }) {
        const ofUser = andSeen(yield* seenServers, sql`f.server_id`)
        return yield* database.query('reading the findings', async (db) => {
          const asked = await recordCondition(db, findingList, filter.where)
          const searched =
            filter.search === undefined
              ? sql`true`
              : await anyContains(db, [sql`f.title`, sql`f.sentence`, serverName], filter.search)
          const where = sql`where ${asked} and ${searched} ${ofUser}`
          const own = { id: findingList.id, order: recordOrder(findingList, filter.order), newestFirst: true }
          const { begin, order, limit, ...slice } = recordSlice(request, own)
          const count = await recordCount(db, slice, sql`${findingRows} ${where}`)
          const page = sql`${where} and ${begin} order by ${order} ${limit}`
          return { count, rows: await selectFindings(db, page) }
        })
      }),
      get: Effect.fn('Findings.get')(function* ({ id }) {
        if (!Number.isSafeInteger(id)) return Option.none()
        const where = sql`where f.id = ${id}::bigint ${andSeen(yield* seenServers, sql`f.server_id`)}`
        const [finding] = yield* database.query('reading a finding', (db) => selectFindings(db, where))
        return Option.fromNullable(finding)
      }),
      snooze: (request) => snooze(database, request),
    }),
  ),
)

/** A server that was renamed shows its present name. */
const serverName = sql`coalesce(v.name, f.server_name)`

const isSnoozed = sql`f.closed is null and coalesce(f.snoozed_until > now(), false)`

const state = sql`case when f.closed is not null then 'closed' when ${isSnoozed} then 'snoozed' else 'open' end`

/** A cause that was seen at the last evaluation. */
const lastSeen = sql`coalesce(f.last_seen, e.evaluated, f.opened)`

const severityRank = sql`case f.severity when 'critical' then 0 when 'warning' then 1 else 2 end`

const findingRows = sql`
  from findings f
  join finding_evaluations e on e.id = 1
  left join servers v on v.id = f.server_id
  left join findings p on p.key = f.under and p.closed is null and f.closed is null`

/** The list of findings `f`. */
const findingList = recordListOf(findingFields, {
  columns: {
    id: sql`f.id`,
    kind: sql`f.kind`,
    severity: sql`f.severity`,
    state,
    server: sql`f.server_id`,
    object_id: sql`f.object_id`,
    title: sql`f.title`,
    parent: sql`p.id`,
    since: sql`f.since`,
    count: sql`f.count`,
    opened: sql`f.opened`,
    last_seen: lastSeen,
    closed: sql`f.closed`,
    closed_by: sql`f.closed_by`,
    snoozed_until: sql`f.snoozed_until`,
    snoozed_by: sql`f.snoozed_by`,
  },
  sorted: { severity: severityRank, server: serverName },
  order: sql`(f.closed is not null), (${isSnoozed}), ${severityRank}, coalesce(f.since, f.opened), f.id`,
  id: sql`f.id`,
})

async function selectFindings(db: Kysely<Tables>, page: RawBuilder<unknown>): Promise<ReadonlyArray<Finding>> {
  const { rows } = await sql<Finding>`
    select f.id, f.kind, f.severity, ${state} as state, f.model, f.object_id, f.title,
      case when f.server_id is not null then jsonb_build_object('id', f.server_id, 'name', ${serverName}) end as server,
      case when p.id is not null then jsonb_build_object('id', p.id, 'title', p.title) end as parent,
      f.since, f.count, f.sentence, f.step, f.opened, ${lastSeen} as last_seen, f.closed, f.closed_by, f.snoozed_until, f.snooze_reason,
      f.snoozed_by, f.snoozed_at
    ${findingRows} ${page}`.execute(db)
  return rows
}

const logged = ({ snoozed_until, snooze_reason, snoozed_by }: Finding): LoggedValues => ({
  snoozed_until,
  snooze_reason,
  snoozed_by,
})

/** Snoozes a finding under its lock, which an evaluation takes too. */
const snooze = Effect.fn('Findings.snooze')(function* (
  database: Database['Type'],
  { id, until, reason, actor }: Parameters<Port['snooze']>[0],
): Effect.fn.Return<Option.Option<Finding>, StoreFailed | FindingClosed> {
  if (!Number.isSafeInteger(id)) return Option.none()
  const one = sql`where f.id = ${id}::bigint ${andSeen(yield* seenServers, sql`f.server_id`)}`
  return yield* database.transaction('snoozing a finding', async (trx) => {
    await sql`select from findings where id = ${id}::bigint for update`.execute(trx)
    const [before] = await selectFindings(trx, one)
    if (before === undefined) return Option.none()
    if (before.closed !== null) return new FindingClosed({ finding: before })
    const by = until === null ? '' : actor.user
    await sql`
      update findings set snoozed_until = ${until}::timestamptz, snooze_reason = ${until === null ? '' : reason}, snoozed_by = ${by},
        snoozed_at = ${until === null ? sql`null` : sql`now()`}
      where id = ${id}::bigint`.execute(trx)
    const [after] = await selectFindings(trx, one)
    if (after === undefined) throw new Error('a finding vanished under its lock')
    await logOther(trx, {
      action: 'update',
      model: 'finding',
      id,
      title: after.title,
      serverId: after.server?.id,
      before: logged(before),
      after: logged(after),
      by: actor,
    })
    return Option.some(after)
  })
})
