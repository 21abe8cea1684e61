/** The meaning of a status, whether another one may follow it, and the actions it allows. */
export interface StatusRule<Action extends string> {
  /** One sentence, as ARCHITECTURE.md has it. */
  readonly meaning: string
  /** A later status follows. */
  readonly open: boolean
  readonly allows: ReadonlyArray<Action>
}

/**
 * The actions that the status of a branch may allow.
 *
 * - `read`, `edit`: requests that name the branch read the inventory in it, and write in it.
 * - `stage`: runs stage changes in it.
 * - `check`, `resolve`, `sync`, `approve`, `merge`, `close`, `revert`: the actions of the same
 *   name. `sync` rebases the branch on main.
 * - `rename`: its name and description change.
 */
export const branchActions = [
  'read',
  'edit',
  'stage',
  'check',
  'resolve',
  'sync',
  'approve',
  'merge',
  'close',
  'revert',
  'rename',
] as const

/** An action that the status of a branch may allow. */
export type BranchAction = (typeof branchActions)[number]

/** Only a merged branch can be reverted. */
const whileBranchIsOpen = branchActions.filter((action) => action !== 'revert')

/**
 * The statuses of a branch. More than the status may prevent an action: open conflicts prevent a merge,
 * and a branch of a run accepts no edits.
 */
export const branchStates = {
  open: { meaning: 'a run or a user still writes it', open: true, allows: whileBranchIsOpen },
  in_review: { meaning: 'it has conflicts without a resolution', open: true, allows: whileBranchIsOpen },
  ready: { meaning: 'nothing prevents its merge', open: true, allows: whileBranchIsOpen },
  merged: { meaning: 'it landed in main', open: false, allows: ['revert', 'rename'] },
  no_changes: { meaning: 'its run found nothing to change', open: false, allows: ['rename'] },
  superseded: { meaning: 'later runs removed every change from it', open: false, allows: ['rename'] },
  closed: { meaning: 'a user ended it without a merge', open: false, allows: ['rename'] },
} as const satisfies Readonly<Record<string, StatusRule<BranchAction>>>

/** The status of a branch. */
export type BranchStatus = keyof typeof branchStates

/**
 * The actions that the status of a run may allow: `cancel` it; `work`: its jobs begin, record their
 * results, and end it.
 */
export const runActions = ['cancel', 'work'] as const

/** An action that the status of a run may allow. */
export type RunAction = (typeof runActions)[number]

/** The statuses of a run. */
export const runStates = {
  pending: { meaning: 'queued; no worker has begun', open: true, allows: runActions },
  running: { meaning: 'at least one of its jobs has begun', open: true, allows: runActions },
  completed: {
    meaning: 'every scope landed, was staged, was unchanged or was skipped on purpose',
    open: false,
    allows: [],
  },
  incomplete: {
    meaning: 'some scopes failed or hold deletions; the others landed',
    open: false,
    allows: [],
  },
  failed: { meaning: 'no scope could be listed', open: false, allows: [] },
  cancelled: { meaning: 'a user cancelled it; landed changes stay', open: false, allows: [] },
} as const satisfies Readonly<Record<string, StatusRule<RunAction>>>

/** The status of a run. */
export type RunStatus = keyof typeof runStates

type Open<Table extends Readonly<Record<string, StatusRule<string>>>> = {
  [Status in keyof Table]: Table[Status]['open'] extends true ? Status : never
}[keyof Table]

const keysOf = <Status extends string>(table: Readonly<Record<Status, unknown>>): ReadonlyArray<Status> =>
  Object.keys(table) as Array<Status> // border: the keys of a table that is written out here

/** The statuses of a branch, in the order of its life. */
export const branchStatuses: ReadonlyArray<BranchStatus> = keysOf(branchStates)

/** The statuses in which a branch can be written, read and merged. */
export const openBranchStatuses: ReadonlyArray<BranchStatus> = branchStatuses.filter(
  (status) => branchStates[status].open,
)

/** The status that a branch can end with instead of a merge. */
export type ClosedBranchStatus = Exclude<BranchStatus, Open<typeof branchStates> | 'merged'>

/** The statuses of a run, in the order of its life. */
export const runStatuses: ReadonlyArray<RunStatus> = keysOf(runStates)

/** The statuses of a run that has not ended. */
export const openRunStatuses: ReadonlyArray<RunStatus> = runStatuses.filter((status) => runStates[status].open)

/** Whether the status of a branch allows an action. */
export const branchAllows = ({ status }: { readonly status: BranchStatus }, action: BranchAction): boolean =>
  allows(branchStates[status], action)

/** Whether the status of a run allows an action. */
export const runAllows = ({ status }: { readonly status: RunStatus }, action: RunAction): boolean =>
  allows(runStates[status], action)

const allows = <Action extends string>(rule: StatusRule<Action>, action: Action): boolean =>
  rule.allows.includes(action)
