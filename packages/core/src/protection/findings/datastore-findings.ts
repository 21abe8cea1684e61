import { clear, type FindingKind, type FindingSubject, findingKey, found, type Judged, unknown } from './finding.ts'
import { type ServerFacts, serverTrouble } from './server-findings.ts'
import { at, counted } from './words.ts'

/** What is known of a datastore. Times are seconds since 1970. */
export interface DatastoreFacts {
  readonly id: number
  readonly server: ServerFacts
  readonly name: string
  /** Whether the last list of its server has it. */
  readonly listed: boolean
  readonly maintenance: string
  readonly mountStatus: string
  readonly backendType: string
  readonly usedBytes: number | null
  readonly totalBytes: number | null
  /** When its sizes were read; null: never. */
  readonly usageAt: number | null
  readonly lastSeen: number | null
  /** The lists of its namespaces. */
  readonly lists: ListFacts
}

/** The lists of the namespaces of a datastore. */
export interface ListFacts {
  /** How many were ever read. */
  readonly known: number
  /** When the one was read that was not read for the longest time, and the one that was read last. */
  readonly oldest: number | null
  readonly newest: number | null
  /** How many of them are older than the server's schedule should leave them. */
  readonly overdue: number
  /** The first list that did not answer in time in the newest run that ended. */
  readonly stuck: { readonly at: number; readonly error: string } | null
}

/** The shares of a datastore from which it is nearly full. */
export const nearlyFullShare = { warning: 0.9, critical: 0.95 } as const

/** How long a list may stay unread, in seconds, where its server is read at an interval of so many minutes. */
export const listPatience = (intervalMinutes: number): number => Math.max(day, 3 * intervalMinutes * 60)

/** The same where a server is read at the times of a schedule, which may be a week apart. */
export const schedulePatience = 8 * 86_400

const day = 86_400

const subjectOf = (kind: FindingKind, { id, name, server }: DatastoreFacts): FindingSubject => ({
  kind,
  model: 'datastore',
  objectId: id,
  title: `${name} on ${server.name}`,
  server: { id: server.id, name: server.name },
})

const isReadOnly = (maintenance: string): boolean => /^read-only(:|$)/.test(maintenance)

/** Whether nothing of a datastore can be read, by its maintenance mode or because it is not mounted. */
const isOff = ({ maintenance, mountStatus }: DatastoreFacts): boolean =>
  (maintenance !== '' && !isReadOnly(maintenance)) || mountStatus === 'notmounted'

/** The key of the finding that says why nothing of a datastore is known; null: it is read. */
export function datastoreTrouble(store: DatastoreFacts): string | null {
  const trouble = serverTrouble(store.server)
  if (trouble !== null) return trouble
  if (isOff(store)) return findingKey(subjectOf('datastore_unreadable', store))
  return isStuck(store) ? findingKey(subjectOf('datastore_stuck', store)) : null
}

const isStuck = ({ lists: { stuck, newest } }: DatastoreFacts): boolean =>
  stuck !== null && (newest === null || newest < stuck.at)

/** Judges a datastore by the last list of its server and by its own lists. */
export function judgeDatastore(store: DatastoreFacts): ReadonlyArray<Judged> {
  return [judgeReadable(store), judgeStuck(store), judgeFull(store), judgeLists(store)]
}

function judgeReadable(store: DatastoreFacts): Judged {
  const subject = subjectOf('datastore_unreadable', store)
  const { maintenance, mountStatus, lastSeen, server } = store
  const under = serverTrouble(server)
  if (under !== null || !store.listed || lastSeen === null) return unknown(subject, under)
  if (!isOff(store)) return clear(subject, `${server.name} listed it as readable${at(lastSeen)}.`)
  const unmounted = mountStatus === 'notmounted'
  return found({
    subject,
    severity: 'critical',
    since: lastSeen,
    noticed: true,
    sentence: unmounted
      ? `${subject.title} is not mounted, so its backups cannot be read`
      : `${subject.title} is in maintenance (${maintenance}), so its backups cannot be read`,
    step: unmounted
      ? `Connect its disk, then proxmox-backup-manager datastore mount ${store.name}.`
      : `End it where the work is done: proxmox-backup-manager datastore update ${store.name} --delete maintenance-mode.`,
  })
}

function judgeStuck(store: DatastoreFacts): Judged {
  const subject = subjectOf('datastore_stuck', store)
  const { stuck, newest } = store.lists
  const under =
    serverTrouble(store.server) ?? (isOff(store) ? findingKey(subjectOf('datastore_unreadable', store)) : null)
  if (under !== null) return unknown(subject, under)
  if (stuck !== null && isStuck(store)) {
    return found({
      subject,
      severity: 'critical',
      since: stuck.at,
      noticed: true,
      sentence: `${subject.title} does not answer in time: ${stuck.error}`,
      step: `Look at its disks on ${store.server.name}; systemctl restart proxmox-backup-proxy ends requests that hang.`,
    })
  }
  return newest === null ? unknown(subject) : clear(subject, `A list of it was read${at(newest)}.`)
}

function judgeFull(store: DatastoreFacts): Judged {
  const subject = subjectOf('datastore_nearly_full', store)
  const { usedBytes, totalBytes, usageAt, backendType, server } = store
  const under = serverTrouble(server)
  // The sizes of an S3 store are those of its cache.
  if (
    under !== null ||
    !store.listed ||
    usedBytes === null ||
    totalBytes === null ||
    totalBytes <= 0 ||
    backendType === 's3'
  ) {
    return unknown(subject, under)
  }
  const share = usedBytes / totalBytes
  const percent = Math.floor(share * 100)
  if (share < nearlyFullShare.warning) return clear(subject, `It was ${percent} % full${at(usageAt)}.`)
  return found({
    subject,
    severity: share < nearlyFullShare.critical ? 'warning' : 'critical',
    since: usageAt,
    noticed: true,
    sentence: `${subject.title} is ${percent} % full`,
    step: 'Prune more, collect garbage, or add space.',
  })
}

function judgeLists(store: DatastoreFacts): Judged {
  const subject = subjectOf('list_not_read', store)
  const { known, oldest, overdue } = store.lists
  const under = datastoreTrouble(store)
  if (under !== null || known === 0) return unknown(subject, under)
  if (overdue === 0) return clear(subject, `Each of its lists was read${at(oldest)} or later.`)
  return found({
    subject,
    severity: 'warning',
    since: oldest,
    count: overdue,
    sentence: `${counted(overdue, 'list')} of ${subject.title} ${overdue === 1 ? 'was' : 'were'} not read for a long time, so nothing new is known of ${overdue === 1 ? 'it' : 'them'}`,
    step: `Start a sync of ${store.server.name}; its run says why a list fails.`,
  })
}
