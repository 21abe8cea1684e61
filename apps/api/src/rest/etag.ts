import { type ExpectedVersions, VersionChanged } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import type { ApiContext } from './caller.ts'

/** An object with a version: a row, a branch, the settings. */
interface Versioned {
  /** RFC 3339. */
  readonly last_updated: string
}

/** The weak ETag of an object: it changes with every change that is no observation. */
export const etag = ({ last_updated }: Versioned): string => `W/"${last_updated}"`

/**
 * The versions of `If-Match`, which the store compares under the object's lock; undefined without
 * the header, or with `*`: then the last write wins. A tag in another form than ours matches no
 * version.
 */
export function expectedVersions(c: ApiContext): ExpectedVersions {
  const tags = c.req
    .header('if-match')
    ?.split(',')
    .map((tag) => tag.trim())
  if (tags === undefined || tags.includes('*')) return undefined
  return tags.flatMap((tag) => /^W\/"(.*)"$/.exec(tag)?.[1] ?? [])
}

/**
 * Fails at once when the object that was read has none of the wanted versions: nothing else about
 * the request is looked at then.
 */
export const checkVersion = (
  { last_updated }: Versioned,
  requested: ExpectedVersions,
): Effect.Effect<void, VersionChanged> =>
  requested === undefined || requested.includes(last_updated)
    ? Effect.void
    : Effect.fail(new VersionChanged({ version: last_updated }))
