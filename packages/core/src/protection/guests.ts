import { type GroupPlace, leads, type SyncRoute, selects } from './sync-route.ts'

/** A backup group with its points. Times are in seconds since 1970. */
export interface GuestGroup extends GroupPlace {
  readonly id: number
  /** When main first had the group. */
  readonly created: number
  /** The times of its finished backups, ascending and each once. */
  readonly times: ReadonlyArray<number>
  /** When main first had each of them. */
  readonly seen: ReadonlyArray<number>
}

/** The groups of one backup type and id, anywhere in the fleet. */
export interface Family {
  readonly backupType: string
  readonly backupId: string
  readonly groups: ReadonlyArray<GuestGroup>
}

/**
 * Why a group is taken for a copy of another, the strongest first: a sync job leads there; points that
 * came after both groups were known came there later; main has known the group for a shorter time.
 */
export const copyEvidence = ['job', 'arrival', 'order'] as const
/** One of {@link copyEvidence}. */
export type CopyEvidence = (typeof copyEvidence)[number]

/** What is known of two groups with common times: which one has copies of the other's backups. */
export interface CopyLink {
  readonly origin: number
  readonly copy: number
  readonly evidence: CopyEvidence
  /** The most times that the two were seen to have in common, counted up to {@link mostCommon}. */
  readonly common: number
}

/** How far a copy is behind its guest's origin. */
export interface CopyLag {
  /** Points of the origin that are newer than the newest of the copy. */
  readonly behind: number
  /** The time of the oldest of them; null: there are none. */
  readonly since: number | null
}

/** A group with copies of another's backups. */
export interface GuestCopy extends CopyLag {
  readonly group: number
  /** The group that it is copied from, which may be a copy itself. */
  readonly copyOf: number
  /** The sync job that copies it; null: none is known. */
  readonly job: number | null
}

/** A guest: the group that has its backups first, and the groups with copies of them. */
export interface GuestGroups {
  readonly origin: number
  readonly copies: ReadonlyArray<GuestCopy>
}

/**
 * How much later than main first had it the time of a backup may be, in seconds. A later one is of the
 * future, and no point.
 */
export const pointTolerance = 60

/** Without a sync job, this many common times make two groups one guest. */
const leastCommon = 3

/** Common times are counted up to this number, so that the count of a copy that keeps up comes to rest. */
export const mostCommon = 30

/**
 * What is known of the copies in a family: what was known before of groups that are still there, and
 * what its points and the routes of sync jobs show now. A link stays after both ends have pruned every
 * common time, which is when a copy lags most.
 */
export function copyLinks(
  family: Family,
  routes: ReadonlyArray<SyncRoute>,
  known: ReadonlyArray<CopyLink>,
): ReadonlyArray<CopyLink> {
  const before = new Map(known.map((link) => [pairOf(link.origin, link.copy), link]))
  const using = routes.filter((route) => selects(route, family.backupType, family.backupId) !== false)
  const ordered = [...family.groups].sort(byAge)
  return ordered.flatMap((elder, at) =>
    ordered.slice(at + 1).flatMap((younger) => {
      const link = linkOf(elder, younger, using, before.get(pairOf(elder.id, younger.id)) ?? null)
      return link === null ? [] : [link]
    }),
  )
}

const pairOf = (a: number, b: number): string => (a < b ? `${a} ${b}` : `${b} ${a}`)

const byAge = (a: GuestGroup, b: GuestGroup): number => a.created - b.created || a.id - b.id

function linkOf(
  elder: GuestGroup,
  younger: GuestGroup,
  routes: ReadonlyArray<SyncRoute>,
  known: CopyLink | null,
): CopyLink | null {
  const down = routes.some((route) => leads(route, elder, younger))
  const up = routes.some((route) => leads(route, younger, elder))
  const common = commonTimes(elder, younger)
  if (known === null && !isOneGuest(common, down || up)) return null
  const link = (first: GuestGroup, evidence: CopyEvidence): CopyLink => ({
    origin: first.id,
    copy: first === elder ? younger.id : elder.id,
    evidence,
    common: Math.max(known?.common ?? 0, Math.min(common.length, mostCommon)),
  })
  if (down !== up) return link(down ? elder : younger, 'job')
  const votes = arrivals(elder, younger, common)
  if (votes !== 0) return link(votes > 0 ? elder : younger, 'arrival')
  if (known === null) return link(elder, 'order')
  return link(known.origin === elder.id ? elder : younger, known.evidence)
}

/** A time that two groups have in common, by its place in the points of each. */
type Common = readonly [a: number, b: number]

function commonTimes({ times: a }: GuestGroup, { times: b }: GuestGroup): ReadonlyArray<Common> {
  const common: Array<Common> = []
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const [left = 0, right = 0] = [a[i], b[j]]
    if (left === right) common.push([i, j])
    if (left <= right) i += 1
    if (right <= left) j += 1
  }
  return common
}

/**
 * Whether two groups have the backups of one machine. Two machines with one id may be backed up in the
 * same second now and then: so without a sync job several times must agree, and most of those from the
 * first common time to the last, in the group that has fewer of them.
 */
function isOneGuest(common: ReadonlyArray<Common>, joined: boolean): boolean {
  const [first, last] = [common[0], common.at(-1)]
  if (first === undefined || last === undefined) return false
  if (joined) return true
  const fewer = Math.min(last[0] - first[0], last[1] - first[1]) + 1
  return common.length >= leastCommon && common.length * 3 >= fewer * 2
}

/**
 * How many more common times came to the first group before the second than the other way. Only points
 * that came to groups that main had already are witnesses: what a first list brings says nothing.
 */
function arrivals(a: GuestGroup, b: GuestGroup, common: ReadonlyArray<Common>): number {
  let votes = 0
  for (const [i, j] of common) {
    const [left = 0, right = 0] = [a.seen[i], b.seen[j]]
    if (left > a.created && right > b.created) votes += Math.sign(right - left)
  }
  return votes
}

/**
 * The guests of a family. A group that is a copy of none is an origin; a copy belongs to the guest of the
 * group that it is copied from. Where links lead in a circle, the group that main has known for longest is
 * the origin.
 */
export function guestsOf(
  family: Family,
  routes: ReadonlyArray<SyncRoute>,
  links: ReadonlyArray<CopyLink>,
): ReadonlyArray<GuestGroups> {
  const groups = new Map(family.groups.map((group) => [group.id, group]))
  const sources = sourcesOf(family.groups, links)
  const using = routes.filter((route) => selects(route, family.backupType, family.backupId) !== false)
  const guests = new Map<number, Array<GuestCopy>>()
  for (const group of [...family.groups].sort(byAge)) {
    const source = groups.get(sources.get(group.id) ?? -1)
    if (source === undefined) {
      guests.set(group.id, guests.get(group.id) ?? [])
      continue
    }
    const origin = groups.get(rootOf(group.id, sources))
    if (origin === undefined) continue
    const jobs = using.filter((route) => leads(route, source, group)).map(({ job }) => job)
    const copies = guests.get(origin.id) ?? []
    copies.push({
      group: group.id,
      copyOf: source.id,
      job: jobs.length === 0 ? null : Math.min(...jobs),
      ...copyLag(origin.times, group.times.at(-1) ?? null),
    })
    guests.set(origin.id, copies)
  }
  return [...guests].map(([origin, copies]) => ({ origin, copies }))
}

/** The group that each copy is copied from. No way of them leads in a circle. */
function sourcesOf(groups: ReadonlyArray<GuestGroup>, links: ReadonlyArray<CopyLink>): ReadonlyMap<number, number> {
  const places = new Map([...groups].sort(byAge).map(({ id }, at) => [id, at]))
  const into = new Map<number, Array<CopyLink>>()
  for (const link of links) into.set(link.copy, [...(into.get(link.copy) ?? []), link])
  const sources = new Map<number, number>()
  const rank = ({ origin, evidence, common }: CopyLink): ReadonlyArray<number> => [
    copyEvidence.indexOf(evidence),
    // A job names no server at its other end: of several that fit, the one with the same backups.
    -common,
    // An origin before a copy: a copy of all of them comes from the first.
    into.get(origin)?.length ?? 0,
    places.get(origin) ?? 0,
  ]
  for (const [copy, of] of into) {
    const [best] = of.toSorted((a, b) => compared(rank(a), rank(b)))
    if (best !== undefined) sources.set(copy, best.origin)
  }
  for (const [id] of places) if (isInCircle(id, sources)) sources.delete(id)
  return sources
}

function compared(a: ReadonlyArray<number>, b: ReadonlyArray<number>): number {
  const at = a.findIndex((value, nth) => value !== b[nth])
  return at === -1 ? 0 : (a[at] ?? 0) - (b[at] ?? 0)
}

function isInCircle(id: number, sources: ReadonlyMap<number, number>): boolean {
  const met = new Set<number>()
  for (let at = sources.get(id); at !== undefined && !met.has(at); at = sources.get(at)) {
    if (at === id) return true
    met.add(at)
  }
  return false
}

function rootOf(id: number, sources: ReadonlyMap<number, number>): number {
  let at = id
  for (let next = sources.get(at); next !== undefined; next = sources.get(at)) at = next
  return at
}

/** How far a copy with this newest time is behind the times of its origin. Older gaps are pruned points, and no lag. */
export function copyLag(origin: ReadonlyArray<number>, newest: number | null): CopyLag {
  const missing = newest === null ? origin : origin.filter((time) => time > newest)
  return { behind: missing.length, since: missing[0] ?? null }
}

/** A guest as it was stored: its id, its origin, and the server of that. */
export interface KeptGuest {
  readonly id: number
  readonly origin: number
  readonly server: number
}

/** Guests with the ids that they keep; null: a new one. */
export interface KeptGuests {
  readonly guests: ReadonlyArray<GuestGroups & { readonly id: number | null }>
  /** Ids of guests that are no more. */
  readonly gone: ReadonlyArray<number>
}

/**
 * Which guests keep their ids: those of the same origin; then a guest whose origin has gone, or has become a
 * copy, goes on with the group that was a copy in it (`formerly` has its guest by the id of a group), or with
 * a new group of the server of an origin that has gone.
 */
export function keepGuests(
  found: ReadonlyArray<GuestGroups>,
  groups: ReadonlyArray<GuestGroup>,
  stored: ReadonlyArray<KeptGuest>,
  formerly: ReadonlyMap<number, number>,
): KeptGuests {
  const origins = new Set(found.map(({ origin }) => origin))
  const servers = new Map(groups.map(({ id, server }) => [id, server]))
  const free = new Map(stored.filter(({ origin }) => !origins.has(origin)).map((guest) => [guest.id, guest]))
  const owned = new Map(stored.map(({ id, origin }) => [origin, id]))
  const taken = new Map<number, number>()
  const take = (origin: number, guest: number | undefined) => {
    if (guest === undefined || !free.delete(guest)) return
    taken.set(origin, guest)
  }
  const without = found.map(({ origin }) => origin).filter((origin) => !owned.has(origin))
  for (const origin of without) take(origin, formerly.get(origin))
  for (const origin of without) {
    if (taken.has(origin) || formerly.has(origin)) continue
    const left = [...free.values()].find((guest) => !servers.has(guest.origin) && guest.server === servers.get(origin))
    take(origin, left?.id)
  }
  const guests = found.map((guest) => ({ ...guest, id: owned.get(guest.origin) ?? taken.get(guest.origin) ?? null }))
  return { guests, gone: [...free.keys()] }
}

/** What is counted of the copies of a guest. */
export interface CopyCounts {
  readonly copies: number
  /** Servers with the origin or a copy. */
  readonly servers: number
  readonly laggingCopies: number
  /** The most points that a copy is behind. */
  readonly pointsBehind: number
  /** Since when a copy lags; null: none does. */
  readonly lagSince: number | null
}

/** The counts of a guest, from its own groups. */
export function copyCounts({ origin, copies }: GuestGroups, groups: ReadonlyArray<GuestGroup>): CopyCounts {
  const servers = new Map(groups.map(({ id, server }) => [id, server]))
  const since = copies.flatMap((copy) => copy.since ?? [])
  return {
    copies: copies.length,
    servers: new Set([origin, ...copies.map(({ group }) => group)].map((id) => servers.get(id))).size,
    laggingCopies: since.length,
    pointsBehind: Math.max(0, ...copies.map(({ behind }) => behind)),
    lagSince: since.length === 0 ? null : Math.min(...since),
  }
}
