const KiB = 1024
const MiB = 1024 * KiB

/** What one answer of a PBS may hold at most; more of it is no answer of a PBS, and fails with `protocol`. */
export interface AnswerLimits {
  /** Of the whole body. */
  readonly bytes: number
  readonly rows: number
  /** Of one row. */
  readonly rowBytes: number
}

/** Lists that are short by nature: datastores, jobs, access control entries. */
export const shortList: AnswerLimits = { bytes: 4 * MiB, rows: 10_000, rowBytes: 256 * KiB }

/** The namespaces of a datastore. */
export const namespaceList: AnswerLimits = { bytes: 32 * MiB, rows: 200_000, rowBytes: 16 * KiB }

/** The groups of a namespace. */
export const groupList: AnswerLimits = { bytes: 32 * MiB, rows: 100_000, rowBytes: 256 * KiB }

/** A list that is read row by row and never held. */
export const streamedList: AnswerLimits = { bytes: 4096 * MiB, rows: 5_000_000, rowBytes: MiB }

/** Tasks: read row by row; a PBS keeps its archive of them for some 20 000 by default. */
export const taskList: AnswerLimits = { bytes: 256 * MiB, rows: 200_000, rowBytes: 64 * KiB }

/**
 * Snapshots that somebody holds together: twice as many rows as their groups count, and a thousand,
 * for what comes meanwhile; 4 KiB for each, where one has some 800 bytes. However many the groups
 * claim, no more than 32 MiB.
 */
export const countedSnapshots = (count: number): AnswerLimits => {
  const rows = Math.min(100_000, 2 * Math.max(0, count) + 1000)
  return { bytes: Math.min(32 * MiB, 4 * MiB + rows * 4 * KiB), rows, rowBytes: MiB }
}

/** An answer that is one object. */
export const objectBytes = 256 * KiB

/** The permissions of a token: an object with a key for each path. */
export const permissionsBytes = 4 * MiB

/** Levels of lists and objects inside each other; PBS has five. */
export const maxDepth = 32

/** Bytes a second that a server must send on average while it is waited for, see `Pace`. */
export const leastRate = 8 * KiB

/** Seconds for which one answer is waited for altogether. */
export const longestAnswerSeconds = 15 * 60
