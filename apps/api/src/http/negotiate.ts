import { Effect } from 'effect'
import type { ApiContext } from '../rest/caller.ts'
import { type HttpError, notAcceptable, notFound } from '../rest/http-error.ts'
import { apiVersion } from '../version.ts'

/** Media ranges that JSON satisfies. A browser asks for HTML first; it gets JSON as well. */
const readable = new Set(['application/json', 'application/*', '*/*', 'text/html'])

/** Checks `Accept` and `format` as NetBox does. We answer JSON and nothing else. */
export const negotiate = (c: ApiContext): Effect.Effect<void, HttpError> => {
  const format = c.req.query('format')
  if (format !== undefined && format !== '' && format !== 'json' && format !== 'api')
    return Effect.fail(notFound('Not found.'))
  const accept = c.req.header('accept')?.trim() || '*/*'
  const ranges = accept.split(',').map((range) => range.split(';').map((part) => part.trim().toLowerCase()))
  const chosen = ranges.find(([type = '']) => readable.has(type))
  if (chosen === undefined) return Effect.fail(notAcceptable('Could not satisfy the request Accept header.'))
  const requested = chosen.find((part) => part.startsWith('version='))?.slice('version='.length)
  return requested === undefined || requested === apiVersion
    ? Effect.void
    : Effect.fail(notAcceptable('Invalid version in "Accept" header.'))
}
