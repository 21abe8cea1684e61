import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { branchedModelsOf, type ScopePlace } from '../scopes/scope-place.ts'
import { isSighted, sameKey, tables } from '../tables/columns.ts'

/** A list that a part stands for. Times are RFC 3339. */
export interface Sighting {
  readonly place: ScopePlace
  readonly part: number
  readonly runId: number
  readonly at: string
  /** When the scope's last list was complete; null: it never was. */
  readonly lastSeen: string | null
}

/**
 * Marks the rows that a part's list lacks as absent, and those that it has again as listed. A row
 * that a user has written to since stays as it is. The digest of an absent group is cleared, so
 * that its frame is read when it returns.
 */
export async function landSightings(db: Kysely<Tables>, sighting: Sighting): Promise<void> {
  for (const model of branchedModelsOf(sighting.place.resource)) {
    if (!isSighted(model)) continue
    const table = sql.table(tables[model])
    await sql`
      update ${table} m set ${becomes(sighting)}, absent_run = ${sighting.runId}::bigint${model === 'group' ? sql`, digest = null` : sql``}
      from staged_sightings w
      where ${isOf(sighting, model, true)} and m.id = w.id
        and (m.presence = 'listed' or m.presence = 'absent' and m.absent_run is null)`.execute(db)
    await sql`
      update ${table} m set ${listedAgain}, absent_run = null
      from staged_sightings w where ${isOf(sighting, model, false)} and m.id = w.id and m.presence = 'absent'`.execute(
      db,
    )
    if (model === 'group') await shareWithSnapshots(db, sighting)
  }
}

/** The listed snapshots of an absent group are absent with it, and those of one that returned are listed. */
async function shareWithSnapshots(db: Kysely<Tables>, sighting: Sighting): Promise<void> {
  await sql`
    update snapshots s set ${becomes(sighting)}
    from staged_sightings w join groups g on g.id = w.id
    where ${isOf(sighting, 'group', true)} and g.presence = 'absent' and ${sameKey('group', 's', 'g')} and s.presence = 'listed'`.execute(
    db,
  )
  await sql`
    update snapshots s set ${listedAgain}
    from staged_sightings w join groups g on g.id = w.id
    where ${isOf(sighting, 'group', false)} and ${sameKey('group', 's', 'g')} and s.presence = 'absent'`.execute(db)
}

const becomes = ({ at, lastSeen }: Sighting): RawBuilder<unknown> =>
  sql`presence = 'absent', missing_since = ${at}::timestamptz, last_seen_own = ${lastSeen}::timestamptz`

const listedAgain = sql`presence = 'listed', missing_since = null`

const isOf = ({ part }: Sighting, model: string, absent: boolean): RawBuilder<boolean> =>
  sql<boolean>`w.part_id = ${part}::bigint and w.model = ${model} and w.absent = ${absent}`
