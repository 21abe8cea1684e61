import {
  type CopyLink,
  type Family,
  type FieldValue,
  type GuestGroup,
  pointTolerance,
  type SyncRoute,
  syncRoute,
} from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { jsonb } from '../database/statement-values.ts'
import type { Tables } from '../database/tables.ts'
import { sameKey } from '../tables/columns.ts'

/** The type and the id that the groups of a family share. */
export interface FamilyKey {
  readonly backup_type: string
  readonly backup_id: string
}

/** What is stored of the guests of a family. */
export interface StoredGuest {
  readonly id: number
  readonly origin_id: number
  readonly server_id: number
  readonly copies: number
  readonly servers: number
  readonly lagging_copies: number
  readonly points_behind: number
  /** Seconds since 1970, as all times here. */
  readonly lag_since: number | null
}

/** What is stored of a copy. */
export interface StoredCopy {
  readonly group_id: number
  readonly server_id: number
  readonly guest_id: number
  readonly copy_of: number
  readonly copy_of_server_id: number
  readonly job_id: number | null
  readonly points_behind: number
  readonly lag_since: number | null
}

/** A family with all that its guests follow from, and what is stored of them. */
export interface KnownFamily extends Family {
  readonly links: ReadonlyArray<CopyLink>
  readonly guests: ReadonlyArray<StoredGuest>
  readonly copies: ReadonlyArray<StoredCopy>
}

/** Families as a relation with the columns of their keys. */
export const keysRelation = (keys: ReadonlyArray<FamilyKey>): RawBuilder<unknown> =>
  sql`jsonb_to_recordset(${jsonb(keys)}) as k (backup_type text, backup_id text)`

/** Whether a row of an alias is of the family `k`, compared as its index is. */
export const ofFamily = (alias: string): RawBuilder<boolean> =>
  sql<boolean>`${sql.ref(`${alias}.backup_id`)} = k.backup_id collate "C" and ${sql.ref(`${alias}.backup_type`)} = k.backup_type collate "C"`

const epoch = (time: RawBuilder<unknown>): RawBuilder<unknown> => sql`extract(epoch from ${time})::float8`

/** The routes of the sync jobs as they were judged last. */
export async function judgedRoutes(db: Kysely<Tables>): Promise<ReadonlyArray<SyncRoute>> {
  const { rows } = await sql<{
    readonly id: number
    readonly server: number
    readonly store: string
    readonly namespace: string
    readonly remote: string
    readonly options: FieldValue
  }>`select job_id as id, server_id as server, store, namespace, remote, options from copy_routes order by job_id`.execute(
    db,
  )
  return rows.flatMap((row) => syncRoute(row) ?? [])
}

interface GroupRow extends FamilyKey, GuestGroup {}

/** Reads families with their points. */
export async function readFamilies(
  db: Kysely<Tables>,
  keys: ReadonlyArray<FamilyKey>,
): Promise<ReadonlyArray<KnownFamily>> {
  if (keys.length === 0) return []
  // A backup of the future is no point. It is one where main had it before its own time.
  const { rows: groups } = await sql<GroupRow>`
    select g.*, p.times, p.seen from ${keysRelation(keys)} cross join lateral (
      select g.backup_type, g.backup_id, g.server_id, g.datastore_name, g.namespace,
        g.id, g.server_id as server, g.datastore_name as store, ${epoch(sql`g.created`)} as created
      from groups g where ${ofFamily('g')} offset 0
    ) g cross join lateral (
      select coalesce(json_agg(${epoch(sql`s.backup_time`)} order by s.backup_time), '[]') as times,
        coalesce(json_agg(${epoch(sql`s.created`)} order by s.backup_time), '[]') as seen
      from snapshots s where ${sameKey('group', 's', 'g')} and s.finished
        and s.backup_time <= s.created + ${sql.lit(pointTolerance)} * interval '1 second'
    ) p`.execute(db)
  const { rows: guests } = await sql<StoredGuest & FamilyKey>`
    select g.* from ${keysRelation(keys)} cross join lateral (
      select g.id, g.backup_type, g.backup_id, g.origin_id, g.server_id, g.copies, g.servers, g.lagging_copies, g.points_behind, ${epoch(sql`g.lag_since`)} as lag_since
      from guests g where ${ofFamily('g')} offset 0
    ) g order by g.id`.execute(db)
  const living = groups.map(({ id }) => id)
  const { rows: copies } = await sql<StoredCopy>`
    select c.group_id, c.server_id, c.guest_id, c.copy_of, c.copy_of_server_id, c.job_id, c.points_behind, ${epoch(sql`c.lag_since`)} as lag_since
    from guest_copies c where c.group_id = any(${living}::bigint[]) or c.guest_id = any(${guests.map(({ id }) => id)}::bigint[])`.execute(
    db,
  )
  // Those of groups that have gone are read as well, and go.
  const ids = [...living, ...guests.map((guest) => guest.origin_id), ...copies.map((copy) => copy.group_id)]
  const { rows: links } = await sql<CopyLink>`
    select l.origin_id as origin, l.copy_id as copy, l.evidence, l.common from copy_links l
    where l.origin_id = any(${ids}::bigint[]) or l.copy_id = any(${ids}::bigint[])`.execute(db)
  return byFamily(keys, { groups, links, guests, copies })
}

function byFamily(
  keys: ReadonlyArray<FamilyKey>,
  read: {
    readonly groups: ReadonlyArray<GroupRow>
    readonly links: ReadonlyArray<CopyLink>
    readonly guests: ReadonlyArray<StoredGuest & FamilyKey>
    readonly copies: ReadonlyArray<StoredCopy>
  },
): ReadonlyArray<KnownFamily> {
  const nameOf = ({ backup_type, backup_id }: FamilyKey) => `${backup_type}/${backup_id}`
  const groups = Map.groupBy(read.groups, nameOf)
  const guests = Map.groupBy(read.guests, nameOf)
  const familyOfGuest = new Map(read.guests.map((row) => [row.id, nameOf(row)]))
  const families = new Map([
    ...read.guests.map((row) => [row.origin_id, nameOf(row)] as const),
    ...read.copies.flatMap((row) => {
      const name = familyOfGuest.get(row.guest_id)
      return name === undefined ? [] : [[row.group_id, name] as const]
    }),
    ...read.groups.map((row) => [row.id, nameOf(row)] as const),
  ])
  const copies = Map.groupBy(read.copies, (row) => families.get(row.group_id))
  const links = Map.groupBy(read.links, ({ origin, copy }) => families.get(origin) ?? families.get(copy))
  return keys.map((key) => {
    const name = nameOf(key)
    return {
      backupType: key.backup_type,
      backupId: key.backup_id,
      groups: groups.get(name) ?? [],
      links: links.get(name) ?? [],
      guests: guests.get(name) ?? [],
      copies: copies.get(name) ?? [],
    }
  })
}
