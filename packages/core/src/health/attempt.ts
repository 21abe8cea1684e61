import type { ServerHealth } from './server-health.ts'

/** After this many failed runs in a row, a server gets only one request per run. */
export const failuresBeforeBackoff = 3

/**
 * How hard a job may try to read a server.
 *
 * - `whole`: everything, again by the queue when the stream breaks.
 * - `once`: the first request decides; the queue does not try again.
 * - `none`: this run has already tried it, and it failed.
 */
export type Attempt = 'whole' | 'once' | 'none'

/**
 * The attempt that a run makes at a server. A server that keeps failing gets exactly one request per
 * run; once it answers it is read whole again.
 */
export function attemptAt(health: ServerHealth | null, runId: number): Attempt {
  if (health === null) return 'whole'
  const inThisRun = health.failed_run === runId && health.consecutive_failures > 0
  const before = health.consecutive_failures - (inThisRun ? 1 : 0)
  if (before < failuresBeforeBackoff) return 'whole'
  return inThisRun ? 'none' : 'once'
}
