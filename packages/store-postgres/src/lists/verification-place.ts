import { verifyingWorkers } from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'
import { sameKey } from '../tables/columns.ts'

/**
 * Where the snapshot of an alias was verified: core's `verificationPlace` as an expression, so that
 * lists can filter and sort by it. A test compares the two. The sets of nodes do not depend on the
 * row, so that each is read once for a whole list.
 */
export function verificationPlaceOf(alias: string): RawBuilder<unknown> {
  const column = (name: string) => sql.ref(`${alias}.${name}`)
  const part = (nth: number) => sql`split_part(${column('verification_upid')}, ':', ${sql.lit(nth)})`
  const workers = sql.join(verifyingWorkers.map((worker) => sql.lit(worker)))
  return sql`case
    when ${column('verification_state')} = '' then 'none'
    when ${part(1)} <> 'UPID' or ${part(2)} = '' or ${part(7)} not in (${workers}) or ${part(8)} = '' then 'unknown'
    when split_part(${part(8)}, '\\x3a', 1) <> replace(${column('datastore_name')}, '-', '\\x2d') then 'elsewhere'
    when (${column('server_id')}, ${part(2)}) in (select n.server_id, n.node from server_nodes n) then
      case when ${part(2)} in (select n.node from server_nodes n group by n.node having count(*) > 1) then 'unknown' else 'here' end
    when ${part(2)} in (select n.node from server_nodes n) then 'elsewhere'
    else 'unknown' end`
}

/**
 * The same of the newest finished snapshot of the group `t`, as main has it. In a branch it is unknown
 * where main has no such snapshot, or one that was verified otherwise.
 */
export const newestVerificationPlace: RawBuilder<unknown> = sql`case when t.newest_verification = '' then 'none' else coalesce((
    select ${verificationPlaceOf('s')} from snapshots s
    where ${sameKey('group', 's', 't')} and s.backup_time = t.last_backup and s.verification_state = t.newest_verification
  ), 'unknown') end`
