import { mostKnownGroups, resources } from '@netbox-pbs/core'
import { z } from 'zod'

/** The media type in `accept` that requests frames: one JSON object a line. */
export const ndjsonMediaType = 'application/x-ndjson'

/** The header that carries the gateway's key. proxbox-api reads no other. */
export const apiKeyHeader = 'X-Proxbox-API-Key'

/**
 * The largest frame, in bytes of its line without the newline. A scope with a larger one is
 * `failed` with `protocol`.
 */
export const maxFrameBytes = 64 * 1024 * 1024

/** The most endpoints one page of `GET /pbs/endpoints` holds. */
export const endpointPageLimit = 100

const maxNames = 10_000
const names = (max: number) =>
  z
    .array(z.string('must be text').max(max, `must have at most ${max} characters`), 'must be a list of names')
    .max(maxNames, `must hold at most ${maxNames} names`)
    .optional()

const digests = z
  .array(z.string('must be text').max(64, 'must have at most 64 characters'), 'must be a list of digests')
  .max(mostKnownGroups, `must hold at most ${mostKnownGroups} digests`)
  .optional()

/** The resources that `POST /pbs/sync/{resource}` can list. */
export const SyncResource = z.enum(resources)
export type SyncResource = z.output<typeof SyncResource>

/**
 * The body of `POST /pbs/sync/{resource}`: a filter of scopes, all of it optional. Strict: with a
 * misspelt key it would list too much.
 */
export const SyncRequest = z.strictObject({
  servers: names(255),
  datastores: names(255),
  /** Exact paths; the empty string is the root. */
  namespaces: names(256),
  job_types: names(255),
  /**
   * Of snapshots only: list digests of groups whose snapshots need not be read. They hold the name of their server, so
   * that one list may be of several.
   */
  known_groups: digests,
  /**
   * Of snapshots only: digests of group frames that need not be sent again, each as the first 32 hex digits of the SHA-256
   * of its line without the newline.
   */
  known_frames: digests,
  /** Of tasks only those that started then or later, in epoch seconds. */
  since: z.int('must be a whole number of seconds').min(0, 'must not be negative').optional(),
  /** An id that all requests of one run carry: a list that hung is not asked for again in that run. */
  run: z.string('must be text').max(64, 'must have at most 64 characters').optional(),
  /**
   * After so many requests to a server no scope of it is begun: each fails with `request_limit`. Not for the list of
   * servers.
   */
  most_requests: z.int('must be a whole number').min(0, 'must not be negative').optional(),
  netbox_branch_schema_id: z.string('must be text').max(255, 'must have at most 255 characters').nullish(),
})
export type SyncRequest = z.output<typeof SyncRequest>
