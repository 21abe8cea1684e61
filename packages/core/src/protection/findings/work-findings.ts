import { type HoldReason, whyHeld } from '../../sync/guard.ts'
import { clear, type FindingSubject, found, type Judged } from './finding.ts'
import { at, counted } from './words.ts'

/** Held deletions of a scope. Times are seconds since 1970. */
export interface HeldFacts {
  readonly id: number
  readonly server: { readonly id: number; readonly name: string }
  /** Their scope in words. */
  readonly title: string
  readonly state: string
  readonly reason: HoldReason
  readonly count: number
  readonly since: number
  readonly decidedBy: string | null
  readonly decidedAt: number | null
}

/** Judges held deletions: those of which the operator has to decide. */
export function judgeHeld(held: HeldFacts): Judged {
  const { id, server, title, state, count, reason } = held
  const subject: FindingSubject = { kind: 'deletions_held', model: 'held_deletions', objectId: id, title, server }
  if (count === 0) return clear(subject, 'Its rows came back, or were deleted.')
  if (state !== 'waiting')
    return clear(subject, `${held.decidedBy ?? ''} ${state} them${at(held.decidedAt)}.`.trimStart())
  return found({
    subject,
    severity: 'warning',
    since: held.since,
    count,
    sentence: `${counted(count, 'deletion')} of ${title} ${count === 1 ? 'waits' : 'wait'} for a decision: ${whyHeld[reason]}`,
    step: 'Compare with the server, then confirm or dismiss them under Held back.',
  })
}

/** A branch. Times are seconds since 1970. */
export interface BranchFacts {
  readonly id: number
  readonly name: string
  readonly status: string
  readonly conflicts: number
  readonly since: number
}

/** Judges a branch: whether it waits for a user. */
export function judgeBranch({ id, name, status, conflicts, since }: BranchFacts): Judged {
  const subject: FindingSubject = { kind: 'branch_waiting', model: 'branch', objectId: id, title: name, server: null }
  if (status !== 'ready' && status !== 'in_review') return clear(subject, `It is ${status.replaceAll('_', ' ')}.`)
  return found({
    subject,
    severity: 'warning',
    since,
    noticed: true,
    count: Math.max(1, conflicts),
    sentence:
      status === 'ready'
        ? `Branch ${name} is ready and waits for its merge`
        : `Branch ${name} waits for ${counted(conflicts, 'decision')}`,
    step: status === 'ready' ? 'Merge or close it.' : 'Resolve its conflicts, then merge or close it.',
  })
}

/** Whether any worker takes jobs. Times are seconds since 1970. */
export interface WorkerFacts {
  readonly running: number
  readonly lastHeartbeat: number | null
}

/** Judges the workers together: while one runs, all work is done. */
export function judgeWorkers({ running, lastHeartbeat }: WorkerFacts): Judged {
  const subject: FindingSubject = {
    kind: 'workers_silent',
    model: null,
    objectId: null,
    title: 'Workers',
    server: null,
  }
  if (running > 0) return clear(subject, 'A worker reported.')
  return found({
    subject,
    severity: 'critical',
    since: lastHeartbeat,
    sentence: 'No worker runs, so nothing is read and no webhook is sent',
    step: 'Start a worker: netbox-pbs start, or the worker app; its log says why it stopped.',
  })
}
