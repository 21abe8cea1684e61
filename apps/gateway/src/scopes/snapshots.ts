import { backupTypes } from '@netbox-pbs/core'
import type { ListRow, PbsGroup, PbsSnapshot } from '@netbox-pbs/pbs-client'
import type { GroupFrame, UnchangedGroupFrame } from '@netbox-pbs/proxbox-client/contract'
import { Array as Arr, Chunk, Effect, Either, Stream } from 'effect'
import { datetimeOf, isDatetime } from './facts.ts'
import { type GroupPlace, groupFrame, groupKey, hasReadableManifest, listDigest } from './group-frame.ts'
import { fieldNotes, leftOut, type Note, readableRows, unreadableNote } from './note.ts'
import type { Listing } from './open-scope.ts'
import { ScopeFailed } from './scope-failed.ts'
import type { ServerSession } from './server-session.ts'
import { type ClosedGroup, type GroupRows, groupKeyOf, StreamedGroups } from './streamed-groups.ts'

/** Up to this many snapshots, by the sum of `backup-count`, the list of a namespace is held as a whole. */
const oneCallSnapshots = 2000

/** How many groups of a large namespace are read ahead, where they are read by themselves. */
const groupsAhead = 4

/** When so many first groups of a namespace are all refused, the others are not requested. */
const maxRejected = 20

/**
 * Lists the snapshots of one namespace, group by group. PBS has no paging: `/groups` is read first,
 * then `/snapshots` of the whole namespace, a large one as a stream of which one group is held.
 * Groups that the list contradicts are read once more by themselves; all are when an unreadable group
 * makes PBS reject the list, or when a large list takes too long to begin.
 *
 * A group with fewer rows than its `backup-count` shrank in between, or its list was cut: the groups
 * are listed once more. A group that is still short or unreadable is left out and the others go on;
 * the scope fails when no group at all can be read, so a namespace is empty only when both lists are.
 *
 * @param known - Groups whose snapshots need not be read, and frames that need not be sent.
 */
export const listSnapshots = (
  session: ServerSession,
  datastore: string,
  namespace: string,
  known: KnownDigests,
): Effect.Effect<Listing<Row>, ScopeFailed> =>
  Effect.map(readItems({ session, datastore, namespace }, known.groups), (items) => ({
    items,
    canonical: true,
    ...(known.frames.size === 0 ? {} : { knownFrames: known.frames }),
  }))

/** What a caller has of the groups of a server. */
export interface KnownDigests {
  /** List digests, as `listDigest` gives them. */
  readonly groups: ReadonlySet<string>
  /** Digests of frames, as `shortDigest` gives them. */
  readonly frames: ReadonlySet<string>
}

type Row = GroupFrame | UnchangedGroupFrame
type Item = Row | Note
type Items = Listing<Row>['items']

const readItems = (
  { session, datastore, namespace }: Omit<Place, 'groupsNow'>,
  known: ReadonlySet<string>,
): Effect.Effect<Items, ScopeFailed> =>
  Effect.gen(function* () {
    const groups = Effect.map(session.pbs.groups(datastore, namespace), groupList)
    const place: Place = { session, datastore, namespace, groupsNow: yield* Effect.cached(groups) }
    const listed = yield* groups
    // That there is no group at all must be said by both lists.
    const changed = known.size === 0 || listed.groups.length === 0 ? null : worthReadingAlone(place, listed, known)
    if (changed !== null) return changed
    if (countOf(listed) > oneCallSnapshots) return asItComes(place, listed)
    const first = yield* wholeNamespace(place, listed)
    if (first?.isWhole === true) return first.items
    const listedNow = yield* place.groupsNow
    if (first === null) return oneByOne(place, listedNow)
    const second = yield* wholeNamespace(place, listedNow)
    if (second === null) return oneByOne(place, listedNow)
    return second.isWhole || second.items.some((item) => 'frame' in item) ? second.items : yield* cutShort(place)
  })

/** What one more request costs, in rows of a list. */
const rowsOfRequest = 50

/**
 * The known groups by their digests, and the items of the others read one by one; null when reading all of them in one
 * list costs less.
 */
const worthReadingAlone = (
  place: Place,
  listed: GroupList,
  known: ReadonlySet<string>,
): Stream.Stream<Item, ScopeFailed> | null => {
  const [changed, unchanged] = Arr.partition(listed.groups, (group) => known.has(listDigest(placeOf(place), group)))
  const alone = { groups: changed, notes: listed.notes }
  if (countOf(alone) + changed.length * rowsOfRequest > countOf(listed)) return null
  const named = unchanged.flatMap(
    (group): ReadonlyArray<Item> => [
      ...groupNotes(group),
      {
        frame: 'unchanged_group',
        server: place.session.endpoint.name,
        list_digest: listDigest(placeOf(place), group),
        count: group['backup-count'] ?? 0,
      },
    ],
  )
  return Stream.concat(Stream.fromIterable(named), oneByOne(place, alone, unchanged.length))
}

interface Place {
  readonly session: ServerSession
  readonly datastore: string
  readonly namespace: string
  /** The second list of the groups, read when it is first needed and then kept. */
  readonly groupsNow: Effect.Effect<GroupList, ScopeFailed>
}

interface GroupList {
  readonly groups: ReadonlyArray<PbsGroup>
  /** Of its unreadable rows. */
  readonly notes: ReadonlyArray<Note>
}

const groupList = (list: ReadonlyArray<ListRow<PbsGroup>>): GroupList => {
  const { rows, notes } = readableRows('group', list)
  return { groups: sortedGroups(rows), notes }
}

/** Groups in a fixed order, by type, then id. */
export const sortedGroups = (groups: ReadonlyArray<PbsGroup>): ReadonlyArray<PbsGroup> =>
  [...groups].sort((a, b) => compare(a['backup-type'], b['backup-type']) || compare(a['backup-id'], b['backup-id']))

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** The sum of `backup-count`. */
const countOf = ({ groups }: GroupList): number => groups.reduce((sum, group) => sum + (group['backup-count'] ?? 0), 0)

/** The rows of `/snapshots`, unreadable ones included. */
type SnapshotRows = ReadonlyArray<ListRow<PbsSnapshot>>

/** The items of all groups out of one list; null when PBS refuses it. */
const wholeNamespace = (place: Place, list: GroupList) =>
  place.session.pbs.snapshots(place.datastore, place.namespace, undefined, countOf(list)).pipe(
    Effect.map((snapshots) => matched(place, list, snapshots)),
    Effect.catchIf(isRejected, () => Effect.succeed(null)),
  )

const isRejected = ({ rejected }: ScopeFailed): boolean => rejected !== undefined

/**
 * The items of the groups that are whole, and notes about the others. The list is whole when each
 * group has its rows and each row its group.
 */
const matched = (
  place: Place,
  { groups, notes }: GroupList,
  snapshots: SnapshotRows,
): { readonly items: ReadonlyArray<Item>; readonly isWhole: boolean } => {
  const { rows, unreadable } = readableRows('snapshot', snapshots)
  const byKey = Map.groupBy(rows, groupKey)
  const unreadableByKey = Map.groupBy(unreadable, groupKeyOf)
  const nameless = unreadableByKey.get(null) ?? []
  const keys = new Set(groups.map(groupKey))
  const unknowns = [...byKey.keys()].filter((key) => !keys.has(key))
  const items: Array<Item> = [...notes, ...nameless.map((row) => unreadableNote('snapshot', row))]
  let short = 0
  for (const group of groups) {
    const key = groupKey(group)
    const own = { rows: byKey.get(key) ?? [], unreadable: unreadableByKey.get(key) ?? [] }
    if (isWhole(group, own, nameless.length)) items.push(...itemsOf(place, group, own))
    else {
      short += 1
      items.push(shortGroup(group))
    }
  }
  items.push(...unknowns.map(unlistedGroup))
  // Each unreadable group explains one set of snapshots without a group.
  return { items, isWhole: short === 0 && unknowns.length <= notes.length }
}

/** The items of a large namespace out of one list that is read as it is pulled. */
const asItComes = (place: Place, { groups, notes }: GroupList): Items =>
  Stream.suspend(() => {
    const streamed = new StreamedGroups(groups, isWhole)
    const itemsOfClosed = (closed: ReadonlyArray<ClosedGroup>) =>
      Chunk.fromIterable(closed.flatMap(({ group, ...rows }) => itemsOf(place, group, rows)))
    const items = place.session.pbs
      .snapshotsAsTheyCome(place.datastore, place.namespace, countOf({ groups, notes }))
      .pipe(
        Stream.mapChunksEffect((rows) =>
          Either.match(streamed.take(rows), {
            onLeft: ({ key }) => Effect.fail(inPieces(place, key)),
            onRight: (closed) => Effect.succeed(itemsOfClosed(closed)),
          }),
        ),
        Stream.concat(Stream.suspend(() => Stream.fromChunk(itemsOfClosed(streamed.end())))),
        Stream.catchAll((failure) => {
          if (!isRejected(failure) && !(failure.code === 'timeout' && streamed.closed === 0))
            return Stream.fail(failure)
          streamed.cut()
          return Stream.empty
        }),
      )
    return Stream.fromIterable<Item>(notes).pipe(
      Stream.concat(items),
      Stream.concat(Stream.unwrap(Effect.suspend(() => leftOfList(place, streamed)))),
    )
  })

/** The items of the groups that a streamed list has left. */
const leftOfList = (
  place: Place,
  streamed: StreamedGroups,
): Effect.Effect<Stream.Stream<Item, ScopeFailed>, ScopeFailed> =>
  Effect.gen(function* () {
    const { left, unknown, closed } = streamed
    if (left.length + unknown.length === 0) return Stream.empty
    const now = unknown.length === 0 ? [] : (yield* place.groupsNow).groups
    const appeared = now.filter((group) => unknown.includes(groupKey(group)))
    const found = new Set(appeared.map(groupKey))
    const lost = unknown.filter((key) => !found.has(key)).map(unlistedGroup)
    // A group without a snapshot is in no list of snapshots.
    const [empty, rest] = Arr.partition(left, (group) => (group['backup-count'] ?? 0) > 0)
    const empties = empty.flatMap((group) => itemsOf(place, group, { rows: [], unreadable: [] }))
    return Stream.concat(
      Stream.fromIterable<Item>([...lost, ...empties]),
      oneByOne(place, { groups: sortedGroups([...rest, ...appeared]), notes: [] }, closed + empty.length),
    )
  })

const inPieces = ({ session, datastore, namespace }: Place, key: string) =>
  new ScopeFailed({
    code: 'protocol',
    message: `${session.endpoint.name} lists snapshots of group ${key} in ${datastore}${namespace === '' ? '' : `/${namespace}`} in more than one place; backups may be coming or going, try again`,
    retryable: true,
  })

const unlistedGroup = (key: string): Note => leftOut(`group ${key}`, 'PBS lists its snapshots, but not the group')

/** @param already - How many groups were listed before. */
const oneByOne = (place: Place, { groups, notes }: GroupList, already = 0): Stream.Stream<Item, ScopeFailed> => {
  let listed = already
  let rejections = 0
  const items = Stream.fromIterable(groups).pipe(
    Stream.rechunk(1),
    Stream.mapEffect(
      (group) =>
        Effect.flatMap(oneGroup(place, group), ({ items, failure }) => {
          if (failure === null) listed += 1
          else rejections += 1
          return failure !== null && listed === 0 && rejections >= Math.min(maxRejected, groups.length)
            ? Effect.fail(failure)
            : Effect.succeed(items)
        }),
      { concurrency: groupsAhead },
    ),
    Stream.mapConcat((found) => found),
  )
  return Stream.concat(Stream.fromIterable<Item>(notes), items)
}

/** The items of one group, and why it is left out. */
interface GroupOutcome {
  readonly items: ReadonlyArray<Item>
  readonly failure: ScopeFailed | null
}

const oneGroup = (place: Place, group: PbsGroup): Effect.Effect<GroupOutcome, ScopeFailed> => {
  const { session, datastore, namespace } = place
  const read = Effect.map(
    session.pbs.snapshots(
      datastore,
      namespace,
      { type: group['backup-type'], id: group['backup-id'] },
      group['backup-count'] ?? 0,
    ),
    (snapshots) => readableRows('snapshot', snapshots),
  )
  return Effect.gen(function* () {
    const rows = yield* read
    if (isWhole(group, rows)) return listedGroup(itemsOf(place, group, rows))
    const now = yield* groupNow(place, group)
    if (now === undefined) return emptyGroup
    if (isWhole(now, rows)) return listedGroup(itemsOf(place, now, rows))
    const rowsNow = yield* read
    if (isWhole(now, rowsNow)) return listedGroup(itemsOf(place, now, rowsNow))
    return { items: [shortGroup(group)], failure: cutShort(place) }
  }).pipe(
    Effect.catchIf(isRejected, (failure) =>
      Effect.map(groupNow(place, group), (now) =>
        now === undefined && failure.rejected === 'gone'
          ? emptyGroup
          : { items: [leftOut(`group ${groupKey(group)}`, failure.message)], failure },
      ),
    ),
  )
}

const listedGroup = (items: ReadonlyArray<Item>): GroupOutcome => ({ items, failure: null })

/** The whole group was removed between the two lists. */
const emptyGroup = listedGroup([])

const groupNow = ({ groupsNow }: Place, group: PbsGroup) =>
  Effect.map(groupsNow, ({ groups }) => groups.find((other) => groupKey(other) === groupKey(group)))

/**
 * Whether a group has at least as many rows as it counts, each of them once: a repeated row would hide a missing one.
 *
 * @param nameless - How many unreadable rows may belong to this group or to another.
 */
const isWhole = (group: PbsGroup, { rows, unreadable }: GroupRows, nameless = 0): boolean =>
  rows.length + unreadable.length + nameless >= (group['backup-count'] ?? 0) &&
  new Set(rows.map((row) => row['backup-time'])).size === rows.length

const shortGroup = (group: PbsGroup): Note =>
  leftOut(
    `group ${groupKey(group)}`,
    'fewer of its snapshots are listed than it counts, twice; backups may be coming or going, the next run reads it again',
  )

const cutShort = ({ session, datastore, namespace }: Place) =>
  new ScopeFailed({
    code: 'protocol',
    message: `${session.endpoint.name} lists fewer snapshots in ${datastore}${namespace === '' ? '' : `/${namespace}`} than its groups count, twice; backups may be coming or going, try again`,
    retryable: true,
  })

const knownTypes: ReadonlyArray<string> = backupTypes.map(({ value }) => value)

const itemsOf = (place: Place, group: PbsGroup, { rows, unreadable }: GroupRows): ReadonlyArray<Item> => {
  // Unreadable rows that name no group may be missing here.
  const missing = Math.max(unreadable.length, (group['backup-count'] ?? 0) - rows.length)
  return [
    ...groupNotes(group),
    ...unreadable.map((row) => unreadableNote('snapshot', row)),
    ...rows.flatMap(notesOf),
    groupFrame(placeOf(place), group, rows, missing),
  ]
}

const placeOf = ({ session, datastore, namespace }: Place): GroupPlace => ({
  server: session.endpoint.name,
  datastore_name: datastore,
  namespace,
})

const groupNotes = (group: PbsGroup): ReadonlyArray<Note> => {
  const title = `group ${groupKey(group)}`
  const type = group['backup-type']
  return [
    ...noteIf(!knownTypes.includes(type), `backup type ${type} of ${title} is not known`),
    ...fieldNotes(title, group),
  ]
}

const notesOf = (snapshot: PbsSnapshot): ReadonlyArray<Note> => {
  const readable = hasReadableManifest(snapshot)
  const whole = readable && snapshot.oddFields === undefined && snapshot.unsafeIntegers.length === 0
  // Of a million rows nearly every one.
  if (whole && isDatetime(snapshot['backup-time'])) return []
  const time = datetimeOf(snapshot['backup-time'])
  const title = `snapshot ${groupKey(snapshot)}/${time ?? snapshot['backup-time']}`
  if (time === null) return [leftOut(title, 'backup-time is no calendar date')]
  const notes = fieldNotes(title, snapshot)
  return readable
    ? notes
    : [
        ...notes,
        {
          code: 'manifest_unreadable',
          message: `manifest of ${title} cannot be read: its size, encryption, verification, note and files count as unknown, and stay as they were last known; verify the snapshot`,
        },
      ]
}

const noteIf = (condition: boolean, message: string): ReadonlyArray<Note> =>
  condition ? [{ code: 'unknown_value', message }] : []
