import { type EncryptionKey as CoreKey, keyFields, parseTimestamp } from '@netbox-pbs/core'
import type { EncryptionKeyFilter } from '@netbox-pbs/core/ports'
import { z } from 'zod'
import { keysPath } from '../rest/links.ts'
import { recordFilter, search } from '../rest/read-filter.ts'
import { text } from '../validation/read-record.ts'
import { time } from './fields.ts'

/** The key of a client, and what it opens. */
export const EncryptionKey = z.object({
  id: z.int(),
  url: z.url(),
  display: z.string(),
  fingerprint: z.string().describe('As PBS tells it. The key itself is known to its client alone.'),
  snapshot_count: z.int().describe('Finished snapshots that it encrypted.'),
  group_count: z.int().describe('Groups with such a snapshot.'),
  only_group_count: z.int().describe('Groups of which no finished snapshot can be read without it.'),
  holder: z.string().describe('Who holds it.'),
  location: z.string().describe('Where it is kept.'),
  checked_at: time.nullable().describe('When an operator last made sure of it. Null: never.'),
  comment: z.string(),
  first_seen: time,
  last_seen: time.nullable().describe('The time of the newest snapshot that names it. Null: there is none any more.'),
  last_updated: time,
})

/** What operators note of a key. */
export const EncryptionKeyChange = z.object({
  holder: text(255),
  location: text(255),
  checked_at: z
    .string()
    .transform((given, context) => {
      const read = parseTimestamp(given)
      if (read !== null) return read
      context.addIssue({ code: 'custom', message: 'Datetime has wrong format: use 2026-05-01T02:00:00Z.' })
      return z.NEVER
    })
    .nullable(),
  comment: text(1024),
})

/** The filters of the list of keys. */
export const keyFilter = recordFilter<Pick<EncryptionKeyFilter, 'search'>>(EncryptionKey, {
  fields: keyFields,
  parameters: { search: search('q') },
})

/** A key as REST answers it. */
export const servedKey = (base: string, key: CoreKey): z.infer<typeof EncryptionKey> => {
  const { id, fingerprint, snapshot_count, group_count, only_group_count, holder, location } = key
  const { checked_at, comment, first_seen, last_seen, last_updated } = key
  return {
    id,
    url: `${base}${keysPath}${id}/`,
    // PBS shows the first eight bytes.
    display: fingerprint.slice(0, 23),
    fingerprint,
    snapshot_count,
    group_count,
    only_group_count,
    holder,
    location,
    checked_at,
    comment,
    first_seen,
    last_seen,
    last_updated,
  }
}
