import { sql } from 'kysely'
import { inScope } from '../scopes/scope-place.ts'
import type { MainWatch } from './writer.ts'

/**
 * A watch that also notes the guests whose snapshots were written. They are judged after the commit; a
 * trigger notes groups that come or go. Rows are only added, so that no writer waits for another.
 */
export const notingGuests = (watch: MainWatch): MainWatch => ({
  ...watch,
  groupsChanged: async (db, touched) => {
    await sql`insert into stale_guests (backup_type, backup_id) select distinct t.backup_type, t.backup_id from (${touched}) t`.execute(
      db,
    )
    await watch.groupsChanged(db, touched)
  },
  namespaceChanged: async (db, place) => {
    await sql`insert into stale_guests (backup_type, backup_id) select g.backup_type, g.backup_id from groups g where ${inScope(place, 'g')}`.execute(
      db,
    )
    await watch.namespaceChanged(db, place)
  },
})
