import type { Choice } from './registry/field.ts'

const choice = (value: string, label: string, color: string): Choice => ({ value, label, color })
const unknown = choice('unknown', 'Unknown', 'secondary')

/** Reachability of a server, as its last contact showed it. */
export const serverStatuses = [
  unknown,
  choice('reachable', 'Reachable', 'green'),
  choice('unreachable', 'Unreachable', 'red'),
]

/** Result of the last check of a server's certificate. `unknown`: none was seen yet, or no check is configured. */
export const tlsStates = [
  unknown,
  choice('ok', 'OK', 'green'),
  choice('fingerprint_changed', 'Fingerprint changed', 'red'),
  choice('untrusted', 'Untrusted', 'red'),
]

/**
 * Whether the gateway holds an endpoint for a server; `none`: inventory only. A `connected` server
 * need not answer: see its status.
 */
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

/** Where a snapshot was verified: see `verificationPlace`. */
export const verificationPlaces = [
  choice('here', 'Here', 'green'),
  choice('elsewhere', 'Elsewhere', 'orange'),
  unknown,
  choice('none', 'Not verified', 'secondary'),
]

/** Kinds of guests. */
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

/** Results of a task, or of the last run of a job. */
export const jobStates = [
  choice('ok', 'OK', 'green'),
  choice('error', 'Error', 'red'),
  choice('warning', 'Warning', 'orange'),
  choice('running', 'Running', 'blue'),
  unknown,
]

/** Whether a datastore will be full: see `forecastOf`. */
export const forecastKinds = [
  choice('grows', 'Growing', 'orange'),
  choice('not_growing', 'Not growing', 'green'),
  choice('too_little_data', 'Too little data', 'secondary'),
  unknown,
]

/** How a job does: see `jobHealth`. */
export const jobHealthStates = [
  choice('ok', 'OK', 'green'),
  choice('warning', 'Warning', 'orange'),
  choice('running', 'Running', 'blue'),
  choice('missed', 'Missed', 'red'),
  choice('failing', 'Failing', 'red'),
  choice('waiting', 'Waiting', 'secondary'),
  choice('off', 'Off', 'secondary'),
  unknown,
]

/** How a group is protected, the worst first but for unknown. */
export const protectionStates = [
  choice('missing', 'Missing', 'red'),
  choice('at_risk', 'At risk', 'red'),
  choice('late', 'Late', 'orange'),
  unknown,
  choice('protected', 'Protected', 'green'),
  choice('not_watched', 'Not watched', 'secondary'),
]

/** The choice for a stored value: exact, else `unknown`, so that a source's new value is shown and never dropped. */
export function choiceFor(choices: ReadonlyArray<Choice>, stored: string): Choice {
  return (
    choices.find((c) => c.value === stored) ??
    choices.find((c) => c.value === 'unknown') ?? { value: stored, label: '', color: 'secondary' }
  )
}
