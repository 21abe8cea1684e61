import { createHash } from 'node:crypto'
import { scopeKey, type Warning } from '@netbox-pbs/core'
import type { Runs } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { sql } from 'kysely'
import type { Database } from '../database/database.ts'
import { seenServers } from '../database/seen-servers.ts'

type Port = typeof Runs.Service

/** Different warnings kept for a run. */
const most = 1000

const more: Omit<Warning, 'count'> = {
  scope: null,
  code: 'more',
  message: `more than ${most} different warnings; these are counted only`,
}

function digest({ scope, code, message }: Omit<Warning, 'count'>): string {
  const identity = JSON.stringify([scope === null ? null : scopeKey(scope), code, message])
  return createHash('sha256').update(identity).digest('hex')
}

/** Equal warnings as one, in the order they first came. */
function added(warnings: ReadonlyArray<Warning>): ReadonlyArray<Warning & { readonly digest: string }> {
  const sums = new Map<string, Warning & { readonly digest: string }>()
  for (const warning of warnings) {
    const key = digest(warning)
    sums.set(key, { ...warning, digest: key, count: (sums.get(key)?.count ?? 0) + warning.count })
  }
  return [...sums.values()]
}

/** The warnings of a run. */
export function warningRecords(database: typeof Database.Service): Pick<Port, 'warn' | 'warnings'> {
  return {
    warn: Effect.fn('Runs.warn')(function* ({ id, warnings }) {
      if (warnings.length === 0) return
      const incoming = JSON.stringify(added(warnings))
      yield* database.transaction('noting warnings', async (trx) => {
        // Without this lock two jobs that warn at once would both take the last place.
        await sql`select from runs where id = ${id}::bigint for no key update`.execute(trx)
        await sql`
          with incoming as (
            select i.*, w.digest is not null as known,
              row_number() over (partition by w.digest is null order by i.place) as nth
            from rows from (
              jsonb_to_recordset(${incoming}::text::jsonb)
                as (digest text, scope jsonb, code text, message text, count bigint)
            ) with ordinality as i (digest, scope, code, message, count, place)
            left join run_warnings w on w.run_id = ${id}::bigint and w.digest = i.digest
          ), capacity as (
            select ${most}::bigint - count(*) as places from run_warnings
            where run_id = ${id}::bigint and digest <> ${digest(more)}
          ), kept as (
            select digest, scope, code, message, count, place
            from incoming, capacity where known or nth <= places
          ), rest as (
            select sum(count) as count from incoming, capacity where not (known or nth <= places)
          ), placed as (
            select * from kept
            union all
            select ${digest(more)}::text, null::jsonb, ${more.code}::text, ${more.message}::text, count, null
            from rest where count is not null
          )
          insert into run_warnings (run_id, digest, scope, code, message, count)
          select ${id}::bigint, digest, scope, code, message, count from placed order by place nulls last
          on conflict (run_id, digest) do update set count = run_warnings.count + excluded.count`.execute(trx)
      })
    }),

    warnings: Effect.fn('Runs.warnings')(function* ({ id }) {
      const seen = yield* seenServers
      // A warning knows its server by name only: one under an earlier name, or of none, is shown to users who see all.
      const ofUser =
        seen === null
          ? sql``
          : sql`and scope ->> 'server' in (select n.name from server_names n where ${seen(sql`n.server_id`)})`
      const { rows } = yield* database.query('reading the warnings of a run', (db) =>
        sql<Warning>`
          select scope, code, message, count from run_warnings where run_id = ${id}::bigint ${ofUser} order by seq`.execute(
          db,
        ),
      )
      return rows
    }),
  }
}
