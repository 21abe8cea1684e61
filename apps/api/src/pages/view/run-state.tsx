import type { Run, RunStatus, ScopeOutcome } from '@netbox-pbs/core'
import { Badge } from './badge.tsx'

const colors: Readonly<Record<RunStatus | ScopeOutcome, string>> = {
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

/** The state of a run or of one of its scopes, in its colour. */
export const RunState = ({ state }: { state: RunStatus | ScopeOutcome }) => (
  <Badge color={colors[state]} label={state.replace('_', ' ')} />
)

/** Whether a run has not ended yet. */
export const isUnderWay = ({ status }: Run): boolean => status === 'pending' || status === 'running'
