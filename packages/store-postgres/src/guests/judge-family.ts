import {
  type CopyCounts,
  type CopyLink,
  copyCounts,
  copyLinks,
  guestsOf,
  keepGuests,
  type SyncRoute,
} from '@netbox-pbs/core'
import type { KnownFamily, StoredCopy, StoredGuest } from './families.ts'

/** A guest as it is to be stored. */
export interface JudgedGuest extends Omit<StoredGuest, 'id'> {
  /** Null: it is new. */
  readonly id: number | null
  readonly members: ReadonlyArray<Omit<StoredCopy, 'guest_id'>>
}

/** What is to be stored of a family. */
export interface JudgedFamily {
  readonly guests: ReadonlyArray<JudgedGuest>
  /** Ids of guests that are no more. */
  readonly gone: ReadonlyArray<number>
  readonly links: ReadonlyArray<CopyLink>
}

/** The guests of a family by core's rules, as they are to be stored. */
export function judgeFamily(family: KnownFamily, routes: ReadonlyArray<SyncRoute>): JudgedFamily {
  const { groups, guests: stored, copies } = family
  const links = copyLinks(family, routes, family.links)
  const { guests, gone } = keepGuests(
    guestsOf(family, routes, links),
    groups,
    stored.map(({ id, origin_id, server_id }) => ({ id, origin: origin_id, server: server_id })),
    new Map(copies.map(({ group_id, guest_id }) => [group_id, guest_id])),
  )
  const servers = new Map(groups.map(({ id, server }) => [id, server]))
  const serverOf = (id: number) => servers.get(id) ?? 0
  return {
    gone,
    links,
    guests: guests.map((guest) => ({
      id: guest.id,
      origin_id: guest.origin,
      server_id: serverOf(guest.origin),
      ...columnsOf(copyCounts(guest, groups)),
      members: guest.copies.map(({ group, copyOf, job, behind, since }) => ({
        group_id: group,
        server_id: serverOf(group),
        copy_of: copyOf,
        copy_of_server_id: serverOf(copyOf),
        job_id: job,
        points_behind: behind,
        lag_since: since,
      })),
    })),
  }
}

const columnsOf = ({ copies, servers, laggingCopies, pointsBehind, lagSince }: CopyCounts) => ({
  copies,
  servers,
  lagging_copies: laggingCopies,
  points_behind: pointsBehind,
  lag_since: lagSince,
})
