import { backupTypes } from '@netbox-pbs/core'
import type { PbsGroup, PbsSnapshot } from '@netbox-pbs/pbs-client'
import { Effect, Stream } from 'effect'
import { byGroup, groupFrame, groupKey, sortedGroups } from '../translate/group.ts'
import { type Note, unsafeIntegerNotes } from './note.ts'
import type { Item, Listing } from './open-scope.ts'
import { ScopeFailed } from './scope-failed.ts'
import type { ServerSession } from './server-session.ts'

/** Up to this many snapshots, by the sum of `backup-count`, a namespace is read in one call. */
const oneCallSnapshots = 2000

/** Groups of a large namespace that are read ahead of each other. */
const groupsAhead = 4

/**
 * Lists the snapshots of one namespace, group by group in the order of type and id. PBS has no paging: `/groups` comes
 * first, then `/snapshots` for the whole namespace when it is small, else for one group at a time as they are pulled.
 * That a namespace is empty is believed when both lists say so. A group with fewer rows than its `backup-count` is read once more, then the scope fails: its list was cut.
 */
export const listSnapshots = (
  session: ServerSession,
  datastore: string,
  namespace: string,
): Effect.Effect<Listing, ScopeFailed> => {
  const place: Place = { session, datastore, namespace }
  return Effect.gen(function* () {
    const groups = sortedGroups(yield* session.pbs.groups(datastore, namespace))
    const total = groups.reduce((sum, group) => sum + (group['backup-count'] ?? 0), 0)
    if (total > oneCallSnapshots) return largeNamespace(place, groups)
    return yield* smallNamespace(place, groups)
  })
}

interface Place {
  readonly session: ServerSession
  readonly datastore: string
  readonly namespace: string
}

const smallNamespace = (place: Place, groups: ReadonlyArray<PbsGroup>): Effect.Effect<Listing, ScopeFailed> =>
  Effect.gen(function* () {
    const { session, datastore, namespace } = place
    const first = matched(place, groups, yield* session.pbs.snapshots(datastore, namespace))
    if (first !== null) return first
    const again = sortedGroups(yield* session.pbs.groups(datastore, namespace))
    const second = matched(place, again, yield* session.pbs.snapshots(datastore, namespace))
    return second ?? (yield* cutShort(place))
  })

/** The items of all groups; null when a group has fewer rows than it should, or rows have no group. */
const matched = (
  place: Place,
  groups: ReadonlyArray<PbsGroup>,
  snapshots: ReadonlyArray<PbsSnapshot>,
): ReadonlyArray<Item> | null => {
  const rows = byGroup(snapshots)
  const keys = new Set(groups.map(groupKey))
  const whole = groups.every((group) => isWhole(group, rows.get(groupKey(group)) ?? []))
  if (!whole || [...rows.keys()].some((key) => !keys.has(key))) return null
  return groups.flatMap((group) => itemsOf(place, group, rows.get(groupKey(group)) ?? []))
}

const largeNamespace = (place: Place, groups: ReadonlyArray<PbsGroup>): Listing =>
  Stream.fromIterable(groups).pipe(
    Stream.rechunk(1),
    Stream.mapEffect((group) => oneGroup(place, group), { concurrency: groupsAhead }),
    Stream.mapConcat((items) => items),
  )

const oneGroup = (place: Place, group: PbsGroup): Effect.Effect<ReadonlyArray<Item>, ScopeFailed> =>
  Effect.gen(function* () {
    const { session, datastore, namespace } = place
    const read = session.pbs.snapshots(datastore, namespace, { type: group['backup-type'], id: group['backup-id'] })
    const rows = yield* read
    if (isWhole(group, rows)) return itemsOf(place, group, rows)
    const groups = yield* session.pbs.groups(datastore, namespace)
    const again = groups.find((other) => groupKey(other) === groupKey(group))
    // The whole group was removed meanwhile: it is not there now.
    if (again === undefined) return []
    const rowsNow = yield* read
    return isWhole(again, rowsNow) ? itemsOf(place, again, rowsNow) : yield* cutShort(place)
  })

/** At least as many rows as the group counts, and none of them twice: a repeated row would stand for a missing one. */
const isWhole = (group: PbsGroup, rows: ReadonlyArray<PbsSnapshot>): boolean =>
  rows.length >= (group['backup-count'] ?? 0) && new Set(rows.map((row) => row['backup-time'])).size === rows.length

const cutShort = ({ session, datastore, namespace }: Place) =>
  new ScopeFailed({
    code: 'protocol',
    message: `${session.endpoint.name} lists fewer snapshots in ${datastore}${namespace === '' ? '' : `/${namespace}`} than its groups count, twice; backups may be coming or going, try again`,
    retryable: true,
  })

const knownTypes: ReadonlyArray<string> = backupTypes.map(({ value }) => value)

const itemsOf = (
  { session, datastore, namespace }: Place,
  group: PbsGroup,
  snapshots: ReadonlyArray<PbsSnapshot>,
): ReadonlyArray<Item> => {
  const title = `group ${groupKey(group)}`
  const frame = groupFrame({ server: session.endpoint.name, datastore, namespace }, group, snapshots)
  const unreadable = snapshots.length - frame.snapshots.length
  return [
    ...noteIf(
      !knownTypes.includes(group['backup-type']),
      `backup type ${group['backup-type']} of ${title} is not known`,
    ),
    ...noteIf(unreadable > 0, `${unreadable} snapshots of ${title} have a time that no calendar has and are left out`),
    ...unsafeIntegerNotes(title, group),
    ...snapshots.flatMap((snapshot) => unsafeIntegerNotes(`a snapshot of ${title}`, snapshot)),
    frame,
  ]
}

const noteIf = (condition: boolean, message: string): ReadonlyArray<Note> =>
  condition ? [{ code: 'unknown_value', message }] : []
