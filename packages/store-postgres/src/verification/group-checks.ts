import { randomUUID } from 'node:crypto'
import { bySystem } from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'
import { branchWatch } from '../branches/stale-groups.ts'
import { columnNames, keyColumns, sameKey } from '../tables/columns.ts'
import {
  countedSnapshots,
  type GroupKey,
  groupCounters,
  pruneGroups,
  recountGroups,
  recountTouchedGroups,
} from '../writes/recount.ts'
import { recountScopes } from '../writes/recount-scopes.ts'
import type { Writer } from '../writes/writer.ts'
import {
  type BrokenRow,
  type Check,
  groupTitle,
  idsOf,
  lockUnit,
  namespaceUnit,
  object,
  placeOfUnit,
  titleColumns,
  titleOf,
} from './check.ts'
import { byKey, type KeyRange } from './pieces.ts'
import { rowOfPlace } from './scope-checks.ts'

const groupKey = keyColumns('group')

/** The groups `g` of a range with what is stored of them and what follows from other rows. */
const groups = (
  stored: Readonly<Record<string, RawBuilder<unknown>>>,
  recount: Readonly<Record<string, RawBuilder<unknown>>>,
  joined: RawBuilder<unknown> = sql``,
) =>
  byKey(
    'group',
    (range) => sql`
      select g.id, ${groupTitle('g')} as title, ${namespaceUnit('g')} as unit, ${object(stored)} as stored, ${object(recount)} as recount
      from groups g ${joined} where ${range('g')}`,
  )

const members = (names: ReadonlyArray<string>, alias: string) =>
  Object.fromEntries(names.map((name) => [name, sql.ref(`${alias}.${name}`)]))

const keysOf = (rows: ReadonlyArray<BrokenRow>): RawBuilder<unknown> =>
  sql`select ${columnNames(groupKey, 'k')} from groups k where k.id = any(${idsOf(rows)})`

const groupCounts: Check = {
  name: 'groups.counters',
  table: 'groups',
  rule: 'The counts (also of each kind of snapshots and of verifications), times, size and newest verification of a group are those of its snapshots; an unfinished snapshot is no backup.',
  pieces: groups(
    members(groupCounters, 'g'),
    members(groupCounters, 'c'),
    sql`cross join lateral (${countedSnapshots('g')}) c`,
  ),
  repair: {
    lock: lockUnit,
    // Branches count main's snapshots, which stay as they are.
    write: (db, _, rows) => recountGroups(db, keysOf(rows), { watch: noWatch }),
  },
}

const noWatch = {
  groupsChanged: async () => undefined,
  namespaceChanged: async () => undefined,
  snapshotsMoved: async () => undefined,
  serversDeleted: async () => undefined,
}

/** The author of rows that a repair creates or removes, as the writers of snapshots do. */
const asSystem = (): Writer => ({ origin: { user: bySystem, requestId: randomUUID() }, watch: branchWatch })

const groupOfSnapshots: Check = {
  name: 'snapshots.group',
  table: 'snapshots',
  rule: 'Each snapshot has the group of its key.',
  pieces: byKey(
    'group',
    (range) => sql`
      select k.id, ${groupTitle('k')} as title, ${namespaceUnit('k')} as unit, ${object({ group: sql`g.id is not null` })} as stored,
        ${object({ group: sql`true` })} as recount
      from (select min(s.id) as id, ${columnNames(groupKey, 's')} from snapshots s where ${range('s')} group by ${columnNames(groupKey, 's')}) k
      left join groups g on ${sameKey('group', 'g', 'k')}`,
  ),
  repair: {
    lock: lockUnit,
    write: async (db, _, rows) => {
      const { rows: keys } = await sql<GroupKey>`
        select distinct ${columnNames(groupKey, 's')} from snapshots s where s.id = any(${idsOf(rows)})`.execute(db)
      await recountTouchedGroups(db, keys, asSystem())
    },
  },
}

const neededGroups: Check = {
  name: 'groups.needed',
  table: 'groups',
  rule: 'A group that no source lists has a snapshot.',
  pieces: groups(
    { kept: sql`true` },
    { kept: sql`g.presence <> 'manual' or exists (select from snapshots s where ${sameKey('group', 's', 'g')})` },
  ),
  repair: {
    lock: lockUnit,
    write: async (db, unit, rows) => {
      await pruneGroups(db, sql`m.id = any(${idsOf(rows)})`, { writer: asSystem(), held: true })
      await recountScopes(db, rowOfPlace(placeOfUnit(unit)))
    },
  },
}

const digests: Check = {
  name: 'groups.digest',
  table: 'groups',
  rule: 'A group has the digest of a frame only while it is listed, none of its snapshots is missing, and as many are listed as the frame has.',
  pieces: groups(
    { digest: sql`g.digest is not null` },
    { digest: sql`g.digest is not null and g.presence = 'listed' and c.missing = 0 and c.listed = g.listed_count` },
    sql`cross join lateral (
      select count(*) filter (where s.presence = 'missing') as missing, count(*) filter (where s.presence = 'listed') as listed
      from snapshots s where g.digest is not null and ${sameKey('group', 's', 'g')}
    ) c`,
  ),
  // As an edit does, so that the next run reads the group and compares it.
  repair: {
    lock: lockUnit,
    write: (db, _, rows) =>
      sql`update groups set digest = null, digest_cleared_by = pg_current_xact_id() where id = any(${idsOf(rows)})`.execute(
        db,
      ),
  },
}

/** The presence that a snapshot shares with its group: it is absent while its group is, and only then. */
const sharedPresence = (range: KeyRange): RawBuilder<unknown> => sql`
  select s.id, ${titleOf('s', ...titleColumns.snapshot)} as title, ${namespaceUnit('s')} as unit, ${object({ presence: sql`s.presence` })} as stored,
    ${object({
      presence: sql`case when g.presence = 'absent' and s.presence = 'listed' then 'absent'
        when g.presence = 'listed' and s.presence = 'absent' then 'listed' else s.presence end`,
    })} as recount
  from snapshots s join groups g on ${sameKey('group', 'g', 's')} where ${range('s')} and (g.presence = 'absent' or s.presence = 'absent')`

const absentSnapshots: Check = {
  name: 'snapshots.presence',
  table: 'snapshots',
  rule: 'The listed snapshots of an absent group are absent with it, and those of a listed group are not.',
  pieces: byKey('group', sharedPresence),
  repair: {
    lock: lockUnit,
    write: (db, _, rows) =>
      sql`
        update snapshots s set presence = g.presence, missing_since = g.missing_since, last_seen_own = coalesce(g.last_seen_own, s.last_seen_own)
        from groups g where s.id = any(${idsOf(rows)}) and ${sameKey('group', 'g', 's')}`.execute(db),
  },
}

/** The checks of groups and their snapshots. Repairs of later ones count on the counters of groups. */
export const groupChecks: ReadonlyArray<Check> = [groupOfSnapshots, groupCounts, neededGroups, digests, absentSnapshots]
