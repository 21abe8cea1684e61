import { type Kysely, type RawBuilder, sql } from 'kysely'
import { jsonb } from '../database/statement-values.ts'
import type { Tables } from '../database/tables.ts'
import { type FamilyKey, judgedRoutes, type KnownFamily, readFamilies } from '../guests/families.ts'
import { judgeFamily } from '../guests/judge-family.ts'
import { judgeFamilies, lockGuests } from '../guests/judge-guests.ts'
import { type BrokenRow, type Check, groupTitle, idsOf, object } from './check.ts'
import { byId, byKey } from './pieces.ts'

/** Whether the family of a row is noted, so that what is stored of it may be old. */
const isStale = (alias: string): RawBuilder<boolean> =>
  sql<boolean>`exists (select from stale_guests n where n.backup_id = ${sql.ref(`${alias}.backup_id`)} and n.backup_type = ${sql.ref(`${alias}.backup_type`)})`

const noUnit = sql`'{}'::jsonb`

const memberships: Check = {
  name: 'guests.groups',
  table: 'guests',
  rule: 'Each group is the origin of one guest, or a copy in one.',
  pieces: byKey(
    'group',
    (range) => sql`
      select g.id, ${groupTitle('g')} as title, ${noUnit} as unit, ${object({ guests: sql`x.guests` })} as stored, ${object({ guests: sql`1` })} as recount
      from groups g cross join lateral (
        select (select count(*) from guests o where o.origin_id = g.id) + (select count(*) from guest_copies c where c.group_id = g.id) as guests
      ) x where ${range('g')} and not ${isStale('g')}`,
  ),
  repair: {
    lock: lockGuests,
    write: async (db, _, rows) => {
      const { rows: keys } = await sql<FamilyKey>`
        select distinct backup_type, backup_id from groups where id = any(${idsOf(rows)})`.execute(db)
      await judgeFamilies(db, keys)
    },
  },
}

const orphans: Check = {
  name: 'guest_copies.guest',
  table: 'guest_copies',
  rule: 'A copy belongs to a guest.',
  pieces: async () => ({
    pieces: [
      {
        title: 'all copies',
        compared: sql`
          select c.group_id as id, c.group_id::text as title, ${noUnit} as unit, ${object({ guest: sql`g.id is not null` })} as stored,
            ${object({ guest: sql`true` })} as recount
          from guest_copies c left join guests g on g.id = c.guest_id`,
      },
    ],
    next: null,
  }),
  repair: {
    lock: lockGuests,
    write: async (db, _, rows) => {
      await sql`delete from guest_copies where group_id = any(${idsOf(rows)})`.execute(db)
      const { rows: keys } = await sql<FamilyKey>`
        select distinct backup_type, backup_id from groups where id = any(${idsOf(rows)})`.execute(db)
      await judgeFamilies(db, keys)
    },
  },
}

/** What is stored of the guests of a family, or follows from its rows, in one order. */
const toldOf = (told: {
  readonly guests: ReadonlyArray<object>
  readonly copies: ReadonlyArray<object>
  readonly links: ReadonlyArray<object>
}) => {
  const ordered = (rows: ReadonlyArray<object>) =>
    rows.map((row) => JSON.stringify(Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1)))).toSorted()
  return { guests: ordered(told.guests), copies: ordered(told.copies), links: ordered(told.links) }
}

const storedOf = ({ guests, copies, links }: KnownFamily) =>
  toldOf({
    guests: guests.map(
      ({ id, origin_id, server_id, copies: count, servers, lagging_copies, points_behind, lag_since }) => ({
        ...{ id, origin_id, server_id, copies: count, servers, lagging_copies, points_behind, lag_since },
      }),
    ),
    copies,
    links,
  })

const recountOf = (family: KnownFamily, routes: Parameters<typeof judgeFamily>[1]) => {
  const { guests, links } = judgeFamily(family, routes)
  return toldOf({
    guests: guests.map(({ members: _, ...guest }) => guest),
    copies: guests.flatMap(({ id, members }) => members.map((member) => ({ ...member, guest_id: id }))),
    links,
  })
}

/** The families of some guests that have more than one lonely group, as rows to compare. */
async function comparedFamilies(db: Kysely<Tables>, range: RawBuilder<boolean>): Promise<RawBuilder<unknown>> {
  const { rows: keys } = await sql<FamilyKey>`
    select distinct t.backup_type, t.backup_id from guests t where ${range} and not ${isStale('t')} and (
      t.copies > 0 or not exists (select from groups g where g.id = t.origin_id and g.server_id = t.server_id)
      or exists (select from groups g where g.backup_id = t.backup_id and g.backup_type = t.backup_type and g.id <> t.origin_id)
    ) order by 1, 2`.execute(db)
  const routes = await judgedRoutes(db)
  const compared = (await readFamilies(db, keys)).map((family) => ({
    id: family.guests[0]?.id ?? 0,
    title: `${family.backupType}/${family.backupId}`,
    stored: storedOf(family),
    recount: recountOf(family, routes),
  }))
  return sql`select r.id, r.title, ${noUnit} as unit, r.stored, r.recount
    from jsonb_to_recordset(${jsonb(compared)}) as r (id bigint, title text, stored jsonb, recount jsonb)`
}

/** The family that a title names. No backup type has a slash. */
const keyOf = ({ title }: BrokenRow): FamilyKey => {
  const at = title.indexOf('/')
  return { backup_type: title.slice(0, at), backup_id: title.slice(at + 1) }
}

const families: Check = {
  name: 'guests.copies',
  table: 'guests',
  rule: 'The groups of one type and id are the guests and the copies that follow from their backups, the sync jobs and what is known of their links.',
  pieces: byId('guests', (range) => (db) => comparedFamilies(db, range)),
  repair: {
    lock: lockGuests,
    write: (db, _, rows) => judgeFamilies(db, rows.map(keyOf)),
  },
}

/** The checks of guests and their copies. */
export const guestChecks: ReadonlyArray<Check> = [memberships, orphans, families]
