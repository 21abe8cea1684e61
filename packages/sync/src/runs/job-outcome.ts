import type { Run } from '@netbox-pbs/core'

/**
 * What became of a queue job.
 *
 * - `done`: its part of the run is recorded; take it off the queue.
 * - `retry`: something outside failed that may pass; nothing of the open scope landed. Give it back to the queue to be tried again.
 * - `renamed`: its server was renamed meanwhile; what had landed stays. Give it back to the queue, to begin again at once under the new name.
 * - `lost`: another worker took it over, or it was cancelled; it is no longer this worker's to end.
 */
export type JobOutcome =
  | { readonly _tag: 'done'; readonly run: Run }
  | { readonly _tag: 'retry'; readonly reason: string }
  | { readonly _tag: 'renamed'; readonly reason: string }
  | { readonly _tag: 'lost' }
