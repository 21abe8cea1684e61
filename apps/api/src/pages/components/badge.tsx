import {
  type Branch,
  type BranchStatus,
  type HeldState,
  type Run,
  type RunJob,
  type RunStatus,
  runStates,
  type ScopeOutcome,
} from '@netbox-pbs/core'

/** A word in a colour of Tabler's. `title` is its tooltip. */
export const Badge = ({ color, label, title }: { color: string; label: string; title?: string | undefined }) => (
  <span class={`badge netbox-pbs-badge netbox-pbs-${color}`} title={title}>
    {label}
  </span>
)

const branchColors: Readonly<Record<BranchStatus, string>> = {
  open: 'blue',
  in_review: 'orange',
  ready: 'green',
  merged: 'purple',
  no_changes: 'secondary',
  superseded: 'secondary',
  closed: 'secondary',
}

/** The state of a branch in its colour. */
export const BranchStatusBadge = ({ status }: Pick<Branch, 'status'>) => (
  <Badge color={branchColors[status]} label={status.replace('_', ' ')} />
)

/** Whose branch it is, in words. */
export const branchKindWords = { sync: 'Sync run', operator: 'User', revert: 'Revert' } as const

type State = RunStatus | ScopeOutcome | RunJob['state']

const stateColors: Readonly<Record<State, string>> = {
  queued: 'secondary',
  retrying: 'orange',
  done: 'green',
  pending: 'secondary',
  running: 'blue',
  completed: 'green',
  incomplete: 'orange',
  failed: 'red',
  cancelled: 'secondary',
  landed: 'green',
  staged: 'cyan',
  unchanged: 'secondary',
  held_back: 'orange',
  skipped: 'yellow',
}

/** The state of a run, or of one of its scopes or jobs, in its colour. */
export const RunState = ({ state }: { state: State }) => (
  <Badge color={stateColors[state]} label={state.replace('_', ' ')} />
)

/** Whether a run has not ended yet. */
export const isUnderWay = ({ status }: Run): boolean => runStates[status].open

const heldColors: Readonly<Record<HeldState, string>> = { waiting: 'orange', confirmed: 'blue', dismissed: 'secondary' }
const heldWords: Readonly<Record<HeldState, string>> = { waiting: 'waiting', confirmed: 'confirmed', dismissed: 'kept' }

/** The state of held deletions as a coloured badge. */
export const HeldStateBadge = ({ state }: { state: HeldState }) => (
  <Badge color={heldColors[state]} label={heldWords[state]} />
)
