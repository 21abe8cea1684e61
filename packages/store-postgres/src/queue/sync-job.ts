import { createHash } from 'node:crypto'
import { resources } from '@netbox-pbs/core'
import { z } from 'zod'

const names = z.array(z.string()).exactOptional()
const StoredScopeFilter = z.object({ datastores: names, namespaces: names, job_types: names })

/** A job as the queue holds it: written by any process, perhaps of another release. */
export const StoredJob = z.object({
  runId: z.int(),
  serverId: z.int().nullable(),
  resources: z.array(z.enum(resources)),
  scope_filter: StoredScopeFilter.nullable().exactOptional(),
})
/** A job as the queue holds it. */
export type StoredJob = z.infer<typeof StoredJob>

const digest = (text: string): string => createHash('sha256').update(text).digest('hex')

/**
 * What at most one active job has: its server, or being the gateway's. Migrations make the same
 * text in SQL: it must stay.
 */
export function jobKey(serverId: number | null): string {
  return serverId === null ? 'gateway' : `server-${serverId}`
}

/**
 * The same for the same part of the same run, as a UUID: a job that is queued twice is one job.
 * Migrations make the same in SQL: it must stay.
 */
export function jobId({ runId, serverId }: Pick<StoredJob, 'runId' | 'serverId'>): string {
  const hex = digest(`${runId} ${jobKey(serverId)}`)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-')
}
