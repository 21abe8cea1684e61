/** How the last run of a job ended. */
export type LastRunState = 'ok' | 'warning' | 'error' | 'running' | 'unknown' | 'never'

/**
 * How the last run of a job or task ended. A UPID without a state is a run under way, and neither means
 * that it never ran. Any text that is not one of PBS's own words is the error message of the run.
 */
export const lastRunState = (state: string | null, upid: string | null): LastRunState => {
  if (state === null) return upid === null ? 'never' : 'running'
  if (state === 'OK') return 'ok'
  if (/^WARNINGS: \d+$/.test(state)) return 'warning'
  return state === 'unknown' ? 'unknown' : 'error'
}
