import type { StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import type { ApiContext } from './caller.ts'

/** Parameters of a query that choose the page or the form of the answer, and make nothing slow. */
const harmless = new Set([
  'limit',
  'offset',
  'page',
  'per_page',
  'start',
  'format',
  'fields',
  'omit',
  'brief',
  '_branch',
])

/**
 * Why the database could not answer a request, without a full stop; of one that took too long, with
 * the names of the filters that it was asked by.
 */
export function storeFailure(c: ApiContext, { reason, message }: StoreFailed): string {
  if (reason !== 'too_slow' && reason !== 'busy') return message
  const names = [...new Set(new URL(c.req.url).searchParams.keys())].filter((name) => !harmless.has(name)).slice(0, 10)
  if (names.length === 0) return message
  const filters = names.map((name) => encodeURIComponent(name)).join(', ')
  return `${message}. The request filters or orders by ${filters}: add a filter by server, datastore_name or backup_id`
}

/**
 * Logs why the database could not answer: an error where it failed, a warning where only the
 * request asked for too much or came at a bad time.
 */
export function logStoreFailure({ reason, message, cause }: StoreFailed, what: string): Effect.Effect<void> {
  if (reason === 'too_slow' || reason === 'busy' || reason === 'conflict')
    return Effect.logWarning(`the database did not finish ${what}`).pipe(Effect.annotateLogs({ why: message }))
  return Effect.logError(`the database failed ${what}`, cause)
}
