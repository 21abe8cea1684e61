import { type Run, type RunJob, type RunStatus, runStates, type ScopeOutcome } from '@netbox-pbs/core'
import { Badge } from './badge.tsx'

type State = RunStatus | ScopeOutcome | RunJob['state']

const colors: Readonly<Record<State, string>> = {
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
export const RunState = ({ state }: { state: State }) => <Badge color={colors[state]} label={state.replace('_', ' ')} />

/** Whether a run has not ended yet. */
export const isUnderWay = ({ status }: Run): boolean => runStates[status].open
