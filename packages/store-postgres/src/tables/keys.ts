import { type RawBuilder, sql } from 'kysely'

/** The key that a snapshot needs, as text: its fingerprint, `?` where that is not known, nothing where none is needed. */
export const keyOf = (cryptMode: RawBuilder<unknown>, fingerprint: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`netbox_pbs_key(${cryptMode}, ${fingerprint})`

/**
 * Such texts, of many snapshots and each on its line, as a group stores them: how many need each key.
 * Most groups of a fleet may need none, for which the function is not called.
 */
export const keysOf = (texts: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`case when replace(coalesce(${texts}, ''), chr(10), '') = '' then '{}'::jsonb else netbox_pbs_keys(${texts}) end`

/** Whether the newest crypt mode says that nothing is encrypted. */
export const isUnencrypted = (cryptMode: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`${cryptMode} in ('none', 'sign-only')`
