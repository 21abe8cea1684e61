import { Effect } from 'effect'
import type { ApiContext } from '../http/caller.ts'
import { preconditionFailed, type Refused } from '../http/refused.ts'
import type { Row } from './row.ts'

/** The weak ETag of a row: it changes with every change that is no observation. */
export const etag = ({ last_updated }: Pick<Row, 'last_updated'>): string => `W/"${last_updated}"`

/** Fails with 412 when the request names other versions of the row than the present one. Without `If-Match` the last write wins. */
export const checkIfMatch = (c: ApiContext, row: Row): Effect.Effect<void, Refused> => {
  const wanted = c.req
    .header('if-match')
    ?.split(',')
    .map((tag) => tag.trim())
  return wanted === undefined || wanted.includes('*') || wanted.includes(etag(row))
    ? Effect.void
    : Effect.fail(preconditionFailed(etag(row)))
}
