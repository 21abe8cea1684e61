import type { Choice } from './registry/field.ts'

const choice = (value: string, label: string, color: string): Choice => ({ value, label, color })
const unknown = choice('unknown', 'Unknown', 'secondary')

/** Reachability of a server, as its last contact showed it. */
export const serverStatuses = [
  unknown,
  choice('reachable', 'Reachable', 'green'),
  choice('unreachable', 'Unreachable', 'red'),
]

/** What the last look at a server's certificate found. `unknown`: none was seen yet, or nothing was asked of it. */
export const tlsStates = [
  unknown,
  choice('ok', 'OK', 'green'),
  choice('fingerprint_changed', 'Fingerprint changed', 'red'),
  choice('untrusted', 'Untrusted', 'red'),
]

/** Whether the gateway holds an endpoint for a server. `none`: inventory only. `connected` says nothing of whether the server answers: that is its status. */
export const endpointStates = [
  choice('none', 'Inventory only', 'secondary'),
  choice('pending', 'Pending', 'orange'),
  choice('connected', 'Credentials stored', 'blue'),
]

/** Garbage collection of a datastore. */
export const gcStatuses = [
  choice('ok', 'OK', 'green'),
  choice('running', 'Running', 'blue'),
  choice('error', 'Error', 'red'),
  choice('pending', 'Pending', 'orange'),
  unknown,
]

/** What was backed up. */
export const backupTypes = [
  choice('vm', 'Virtual machine', 'blue'),
  choice('ct', 'Container', 'cyan'),
  choice('host', 'Host', 'purple'),
  unknown,
]

/** Kinds of PBS jobs. */
export const jobTypes = [
  choice('verify', 'Verify', 'blue'),
  choice('prune', 'Prune', 'orange'),
  choice('gc', 'Garbage collection', 'purple'),
  choice('sync', 'Sync', 'cyan'),
  choice('tape', 'Tape', 'teal'),
  unknown,
]

/** How a task, or the last run of a job, ended. */
export const jobStates = [
  choice('ok', 'OK', 'green'),
  choice('error', 'Error', 'red'),
  choice('warning', 'Warning', 'orange'),
  choice('running', 'Running', 'blue'),
  unknown,
]

/** The choice for a stored value: exact, else `unknown`, so that a source's new value is shown and never dropped. */
export function choiceFor(choices: ReadonlyArray<Choice>, stored: string): Choice {
  return (
    choices.find((c) => c.value === stored) ??
    choices.find((c) => c.value === 'unknown') ?? { value: stored, label: '', color: 'secondary' }
  )
}
