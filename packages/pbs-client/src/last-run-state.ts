/** How the last run of a job ended. */
export type LastRunState = 'ok' | 'warning' | 'error' | 'running' | 'unknown' | 'never'

/**
 * Reads the status of a job row: a UPID without a state is a run under way, neither is a job that never ran. Any text
 * that is not one of PBS's own words is the error message of the run.
 * For gc rows, whose `upid` is that of the last *successful* run, pass the row's state and no UPID.
 */
export const classifyLastRun = (run: {
  readonly state?: string | null
  readonly upid?: string | null
}): LastRunState => {
  const state = run.state ?? null
  if (state === null) return (run.upid ?? null) === null ? 'never' : 'running'
  if (state === 'OK') return 'ok'
  if (/^WARNINGS: \d+$/.test(state)) return 'warning'
  return state === 'unknown' ? 'unknown' : 'error'
}
