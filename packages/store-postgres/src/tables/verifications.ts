import { type RawBuilder, sql } from 'kysely'

/**
 * What a verification that is ok says of its place, as text: the node and the start of its task where
 * its UPID names the datastore, else `:elsewhere` or `:unknown`; null for no verification and for a
 * failed one.
 */
export const verificationOf = (
  state: RawBuilder<unknown>,
  upid: RawBuilder<unknown>,
  datastore: RawBuilder<unknown>,
): RawBuilder<unknown> => sql`netbox_pbs_verification(${state}, ${upid}, ${datastore})`

/**
 * Such texts, of many snapshots and each on its line, as a group stores them: by node, how many and
 * when. Most groups of a fleet may have none, for which the function is not called.
 */
export const verificationsOf = (texts: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`case when ${texts} is null then '{}'::jsonb else netbox_pbs_verifications(${texts}) end`
