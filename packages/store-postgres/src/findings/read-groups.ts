import {
  badGroupStates,
  type DatastoreFacts,
  type FleetFacts,
  foldedGroups,
  type GroupCounts,
  type GroupFacts,
} from '@netbox-pbs/core'
import { type Kysely, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { type ListColumn, listColumn, listFrom } from '../lists/list-columns.ts'
import { mayBeIn } from '../lists/protection-columns.ts'
import { seconds, withFinding } from './stored-values.ts'

interface Row {
  readonly groups: ReadonlyArray<Omit<GroupFacts, 'datastore'> & { readonly datastore: number }>
  readonly counts: ReadonlyArray<GroupCounts>
}

/**
 * The groups that are not well or have a finding, and how many of each datastore are in a bad state.
 * Copies are not counted; of many in one state only those that have a finding are told.
 */
export async function readGroups(
  db: Kysely<Tables>,
  datastores: ReadonlyArray<DatastoreFacts>,
): Promise<Pick<FleetFacts, 'groups' | 'groupCounts'>> {
  const [protection, since] = [column('protection'), column('protection_since')]
  const known = sql`t.id in (${withFinding('group')})`
  const isBad = sql`g.state = any(${[...badGroupStates]}::text[])`
  const { rows } = await sql<Row>`
    with found as materialized (
      select t.id, t.server_id, t.datastore_name, t.namespace, t.backup_type, t.backup_id, ${protection.value} as state, ${seconds(since.value)} as since,
        ${seconds(sql`t.last_backup`)} as last_backup, t.objective, ${known} as known
      ${listFrom('group', [protection, since])}
      where (${mayBeIn(badGroupStates)} or ${known}) and not exists (select from guest_copies y where y.group_id = t.id)
    ), g as materialized (
      select f.*, s.id as datastore, count(*) over (partition by f.server_id, f.datastore_name, f.state) as siblings
      from found f join datastores s on s.server_id = f.server_id and s.name = f.datastore_name
    )
    select
      (select coalesce(jsonb_agg(jsonb_build_object('id', g.id, 'datastore', g.datastore, 'namespace', g.namespace, 'type', g.backup_type,
        'backupId', g.backup_id, 'state', g.state, 'since', g.since, 'lastBackup', g.last_backup, 'objective', g.objective, 'siblings', g.siblings) order by g.id), '[]')
        from g where g.known or (${isBad} and g.siblings < ${sql.lit(foldedGroups)})) as groups,
      (select coalesce(jsonb_agg(to_jsonb(c)), '[]') from (
        select g.datastore, g.state, count(*) as groups, min(g.since) as since from g
        where g.state = 'unknown' or ${isBad} group by g.datastore, g.state
      ) c) as counts`.execute(db)
  const byId = new Map(datastores.map((datastore) => [datastore.id, datastore]))
  const [{ groups, counts } = { groups: [], counts: [] }] = rows
  return {
    groups: groups.flatMap((group) => {
      const datastore = byId.get(group.datastore)
      return datastore === undefined ? [] : [{ ...group, datastore }]
    }),
    groupCounts: counts,
  }
}

function column(name: string): ListColumn {
  const found = listColumn('group', name)
  if (found === undefined) throw new Error(`groups have no ${name}`)
  return found
}
