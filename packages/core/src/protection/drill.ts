import { formatTimestamp } from '../timestamp.ts'

/** The states of a drill: proposed by a task that read a backup, confirmed by a user as a restore, or dismissed. */
export const drillStates = ['proposed', 'confirmed', 'dismissed'] as const

/** The state of a drill. */
export type DrillState = (typeof drillStates)[number]

/** How a restore ended. */
export const drillOutcomes = ['ok', 'failed', 'unknown'] as const

/** How a restore ended. */
export type DrillOutcome = (typeof drillOutcomes)[number]

/** What a user says of a drill. Times are RFC 3339. */
export interface DrillValues {
  readonly state: DrillState
  readonly datastore_name: string
  readonly namespace: string
  readonly backup_type: string
  readonly backup_id: string
  /** The snapshot that was restored; null: not known. */
  readonly backup_time: string | null
  readonly started: string
  readonly duration_seconds: number | null
  readonly outcome: DrillOutcome
  /** Who restored. */
  readonly performed_by: string
  readonly note: string
}

/** A drill as it is stored. The name of the server outlives it. */
export interface Drill extends DrillValues {
  readonly id: number
  readonly server: { readonly id: number; readonly name: string }
  /** The task that proposed it; empty: a user recorded it. */
  readonly upid: string
  readonly created: string
  readonly last_updated: string
}

/** A task that read a backup and has ended. Times are seconds since 1970. */
export interface ReaderTask {
  readonly server_id: number
  readonly upid: string
  readonly worker_id: string
  readonly user: string
  readonly datastore_name: string
  readonly backup_type: string
  readonly backup_id: string
  readonly start: number
  readonly end: number | null
  readonly outcome: string
}

/** A drill that is known, as far as a proposal is judged by it. */
export type KnownRead = Pick<ReaderTask, 'server_id' | 'datastore_name' | 'backup_type' | 'backup_id' | 'start'>

/** A drill that a task proposes. */
export type DrillProposal = Omit<DrillValues, 'state' | 'note'> & Pick<ReaderTask, 'server_id' | 'upid'>

const day = 86_400

/** Guests of a server that one user may read in a day before this is the work of a sync job, or of another machine. */
export const mostGuestsADay = 20

/**
 * The drills that tasks propose: for each guest of a datastore the first task of a day. A pull sync
 * reads its source by such tasks too, so that a user who reads more than 20 guests of a server in a
 * day proposes none. `tasks` are the oldest first; `known` are drills in any state.
 */
export function proposeDrills(
  tasks: ReadonlyArray<ReaderTask>,
  known: ReadonlyArray<KnownRead>,
): ReadonlyArray<DrillProposal> {
  const byUser = Map.groupBy(tasks, ({ server_id, user }) => `${server_id}/${user}`)
  const seen = Map.groupBy(known, guestKey)
  const proposals: Array<DrillProposal> = []
  for (const task of tasks) {
    const near = (byUser.get(`${task.server_id}/${task.user}`) ?? []).filter(
      ({ start }) => Math.abs(start - task.start) < day,
    )
    if (new Set(near.map(guestKey)).size > mostGuestsADay) continue
    const same = seen.get(guestKey(task)) ?? []
    if (same.some(({ start }) => Math.abs(start - task.start) < day)) continue
    seen.set(guestKey(task), [...same, task])
    proposals.push(proposalOf(task))
  }
  return proposals
}

const guestKey = ({ server_id, datastore_name, backup_type, backup_id }: Omit<KnownRead, 'start'>): string =>
  JSON.stringify([server_id, datastore_name, backup_type, backup_id])

const proposalOf = ({ start, end, outcome, user, worker_id, ...task }: ReaderTask): DrillProposal => ({
  server_id: task.server_id,
  upid: task.upid,
  datastore_name: task.datastore_name,
  // Such a task does not say its namespace.
  namespace: '',
  backup_type: task.backup_type,
  backup_id: task.backup_id,
  backup_time: snapshotTime(worker_id),
  started: formatTimestamp(start * 1000),
  duration_seconds: end === null ? null : Math.max(0, Math.round(end - start)),
  outcome: outcome === 'ok' || outcome === 'warning' ? 'ok' : outcome === 'error' ? 'failed' : 'unknown',
  performed_by: user,
})

/** The time of the snapshot at the end of the id of a task, in hexadecimal; null: it has none. */
function snapshotTime(workerId: string): string | null {
  const hex = /\/([0-9A-Fa-f]{8})$/.exec(workerId)?.[1]
  return hex === undefined ? null : formatTimestamp(Number.parseInt(hex, 16) * 1000)
}
