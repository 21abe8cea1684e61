/** The state of a server's tasks in main. RFC 3339; null: none. */
export interface TaskMarks {
  /** Start of the task that started last. */
  readonly newestStart: string | null
  /** Start of the oldest task that main believes to be running. */
  readonly oldestRunning: string | null
}

/** Which tasks a run asks a server for. Epoch seconds. */
export interface TaskWindow {
  /** Tasks that started earlier are not asked for; null: all are. */
  readonly since: number | null
  /** Tasks that started earlier are past their retention and are not added; null: all are kept. */
  readonly floor: number | null
  /** The window begins where retention does: it has every task that main may have. */
  readonly whole: boolean
}

/** The input of the window. */
export interface TaskWindowInput {
  /** Epoch seconds. */
  readonly now: number
  /** `task_retention_days`; 0 keeps all tasks. */
  readonly retentionDays: number
  /**
   * The scope's last complete list, RFC 3339, and the visibility it was listed with; null: none
   * that can be built on.
   */
  readonly lastCompleteAt: string | null
  readonly visibility: string | null
  readonly marks: TaskMarks
}

/** Seconds that are read again before the newest task: one may be entered late, or a clock be set back a little. */
const overlap = 3600

/**
 * The start of the tasks to ask for, so that none is missed that the source still has: the oldest
 * running task or the newest start, whichever is earlier. PBS filters a list by the start of tasks;
 * without an earlier complete list, or without a task, everything within retention is read.
 */
export function taskWindow({ now, retentionDays, lastCompleteAt, visibility, marks }: TaskWindowInput): TaskWindow {
  const floor = taskFloor(now, retentionDays)
  if (lastCompleteAt === null || visibility === null || marks.newestStart === null)
    return { since: floor, floor, whole: true }
  // A server whose clock ran ahead leaves starts in the future: beyond the last list they say nothing.
  const watermark = Math.min(seconds(marks.newestStart), seconds(lastCompleteAt)) - overlap
  const running = marks.oldestRunning === null ? Number.POSITIVE_INFINITY : seconds(marks.oldestRunning)
  const since = Math.max(0, Math.min(Math.max(watermark, floor ?? 0), running))
  return { since, floor, whole: floor !== null && since <= floor }
}

/** Start, in epoch seconds, of the oldest tasks that are kept; null: all are. */
export function taskFloor(now: number, retentionDays: number): number | null {
  return retentionDays === 0 ? null : Math.max(0, now - retentionDays * 86_400)
}

/** Whether a task that main lacks is still within retention. */
export function isTaskKept(starttime: string, { floor }: Pick<TaskWindow, 'floor'>): boolean {
  return floor === null || seconds(starttime) >= floor
}

const seconds = (datetime: string): number => Math.floor(Date.parse(datetime) / 1000)
