import type { CopyLink } from '@netbox-pbs/core'
import { type Kysely, sql } from 'kysely'
import { jsonb } from '../database/statement-values.ts'
import type { Tables } from '../database/tables.ts'
import type { KnownFamily, StoredCopy, StoredGuest } from './families.ts'
import type { JudgedFamily, JudgedGuest } from './judge-family.ts'

/** A family as it is stored, and as it is to be. */
export interface JudgedAgain {
  readonly family: KnownFamily
  readonly judged: JudgedFamily
}

/** Stores what has changed of some families, in a few statements for all of them. */
export async function writeFamilies(db: Kysely<Tables>, families: ReadonlyArray<JudgedAgain>): Promise<void> {
  await writeLinks(db, families)
  await removeGuests(
    db,
    families.flatMap(({ judged }) => judged.gone),
  )
  await changeGuests(db, families.flatMap(changedGuests))
  const made = await makeGuests(db, families.flatMap(newGuests))
  const wanted = families.flatMap(({ judged }) =>
    judged.guests.flatMap(({ id, origin_id, members }) =>
      members.map((member): StoredCopy => ({ ...member, guest_id: id ?? made.get(origin_id) ?? 0 })),
    ),
  )
  await writeCopies(
    db,
    families.flatMap(({ family }) => family.copies),
    wanted,
  )
}

const guestColumns = [
  'origin_id',
  'server_id',
  'copies',
  'servers',
  'lagging_copies',
  'points_behind',
  'lag_since',
] as const

function changedGuests({ family, judged }: JudgedAgain): ReadonlyArray<StoredGuest> {
  const stored = new Map(family.guests.map((guest) => [guest.id, guest]))
  return judged.guests.flatMap(({ members: _, ...guest }) => {
    const before = guest.id === null ? undefined : stored.get(guest.id)
    if (guest.id === null || before === undefined) return []
    return guestColumns.some((name) => before[name] !== guest[name]) ? [{ ...guest, id: guest.id }] : []
  })
}

interface NewGuest extends Omit<JudgedGuest, 'members' | 'id'> {
  readonly backup_type: string
  readonly backup_id: string
}

const newGuests = ({ family: { backupType, backupId }, judged }: JudgedAgain): ReadonlyArray<NewGuest> =>
  judged.guests.flatMap(({ members: _, id, ...guest }) =>
    id === null ? [{ ...guest, backup_type: backupType, backup_id: backupId }] : [],
  )

async function removeGuests(db: Kysely<Tables>, ids: ReadonlyArray<number>): Promise<void> {
  if (ids.length > 0) await sql`delete from guests where id = any(${ids}::bigint[])`.execute(db)
}

async function changeGuests(db: Kysely<Tables>, guests: ReadonlyArray<StoredGuest>): Promise<void> {
  if (guests.length === 0) return
  await sql`
    update guests g set origin_id = r.origin_id, server_id = r.server_id, copies = r.copies, servers = r.servers,
      lagging_copies = r.lagging_copies, points_behind = r.points_behind, lag_since = to_timestamp(r.lag_since)
    from jsonb_to_recordset(${jsonb(guests)}) as r (id bigint, origin_id bigint, server_id bigint, copies bigint, servers bigint,
      lagging_copies bigint, points_behind bigint, lag_since float8)
    where g.id = r.id`.execute(db)
}

/** Makes guests and returns their ids by those of their origins. */
async function makeGuests(db: Kysely<Tables>, guests: ReadonlyArray<NewGuest>): Promise<ReadonlyMap<number, number>> {
  if (guests.length === 0) return new Map()
  const { rows } = await sql<{ readonly id: number; readonly origin_id: number }>`
    insert into guests (backup_type, backup_id, origin_id, server_id, copies, servers, lagging_copies, points_behind, lag_since)
    select r.backup_type, r.backup_id, r.origin_id, r.server_id, r.copies, r.servers, r.lagging_copies, r.points_behind, to_timestamp(r.lag_since)
    from jsonb_to_recordset(${jsonb(guests)}) as r (backup_type text, backup_id text, origin_id bigint, server_id bigint, copies bigint,
      servers bigint, lagging_copies bigint, points_behind bigint, lag_since float8) order by r.origin_id
    returning id, origin_id`.execute(db)
  return new Map(rows.map(({ id, origin_id }) => [origin_id, id]))
}

const copyColumns = [
  'server_id',
  'guest_id',
  'copy_of',
  'copy_of_server_id',
  'job_id',
  'points_behind',
  'lag_since',
] as const

async function writeCopies(
  db: Kysely<Tables>,
  stored: ReadonlyArray<StoredCopy>,
  wanted: ReadonlyArray<StoredCopy>,
): Promise<void> {
  const before = new Map(stored.map((copy) => [copy.group_id, copy]))
  const stay = new Set(wanted.map(({ group_id }) => group_id))
  const gone = stored.map(({ group_id }) => group_id).filter((id) => !stay.has(id))
  if (gone.length > 0) await sql`delete from guest_copies where group_id = any(${gone}::bigint[])`.execute(db)
  const changed = wanted.filter((copy) => copyColumns.some((name) => before.get(copy.group_id)?.[name] !== copy[name]))
  if (changed.length === 0) return
  await sql`
    insert into guest_copies (group_id, server_id, guest_id, copy_of, copy_of_server_id, job_id, points_behind, lag_since)
    select r.group_id, r.server_id, r.guest_id, r.copy_of, r.copy_of_server_id, r.job_id, r.points_behind, to_timestamp(r.lag_since)
    from jsonb_to_recordset(${jsonb(changed)}) as r (group_id bigint, server_id bigint, guest_id bigint, copy_of bigint, copy_of_server_id bigint, job_id bigint,
      points_behind bigint, lag_since float8)
    on conflict (group_id) do update set server_id = excluded.server_id, guest_id = excluded.guest_id, copy_of = excluded.copy_of, copy_of_server_id = excluded.copy_of_server_id,
      job_id = excluded.job_id, points_behind = excluded.points_behind, lag_since = excluded.lag_since`.execute(db)
}

async function writeLinks(db: Kysely<Tables>, families: ReadonlyArray<JudgedAgain>): Promise<void> {
  const nameOf = ({ origin, copy }: CopyLink) => `${origin} ${copy}`
  const stored = new Map(families.flatMap(({ family }) => family.links).map((link) => [nameOf(link), link]))
  const wanted = families.flatMap(({ judged }) => judged.links)
  const stay = new Set(wanted.map(nameOf))
  const gone = [...stored].filter(([name]) => !stay.has(name)).map(([, link]) => link)
  if (gone.length > 0)
    await sql`
      delete from copy_links l using jsonb_to_recordset(${jsonb(gone)}) as r (origin bigint, copy bigint)
      where l.origin_id = r.origin and l.copy_id = r.copy`.execute(db)
  const changed = wanted.filter((link) => {
    const before = stored.get(nameOf(link))
    return before?.evidence !== link.evidence || before.common !== link.common
  })
  if (changed.length === 0) return
  await sql`
    insert into copy_links (origin_id, copy_id, evidence, common)
    select r.origin, r.copy, r.evidence, r.common
    from jsonb_to_recordset(${jsonb(changed)}) as r (origin bigint, copy bigint, evidence text, common bigint)
    on conflict (origin_id, copy_id) do update set evidence = excluded.evidence, common = excluded.common`.execute(db)
}
