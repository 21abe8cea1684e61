import { attemptAt, type Contact, nextHealth, type Resource } from '@netbox-pbs/core'
import {
  type ClaimedJob,
  Inventory,
  Runs,
  ServerObservations,
  type ServerRow,
  type Source,
  type StoreFailed,
} from '@netbox-pbs/core/ports'
import { Effect, Option } from 'effect'
import type { Job, JobStopped, ScopePorts, ServerJob } from '../scopes/scope-work.ts'
import { type ContactReport, JobProgress } from './job-progress.ts'
import { logStatus } from './log-status.ts'
import { type ReadOutcome, readJob, skipRemaining } from './read-job.ts'

/**
 * A server's job: what lies below it. A server that keeps failing is asked once a run and no more: not at all when the run's list of servers has
 * just met its trouble, else by the first request, which the queue does not repeat. What it showed of its health is recorded, also when all failed.
 */
export const readServer = Effect.fn('sync.readServer')(function* (
  claimed: ClaimedJob,
  job: Job & { readonly serverId: number },
): Effect.fn.Return<ReadOutcome, JobStopped, ScopePorts | ServerObservations | Source> {
  const { serverId, runId } = job
  const inventory = yield* Inventory
  const found = yield* inventory.server({ id: serverId })
  if (Option.isNone(found)) {
    const name = Option.getOrElse(yield* inventory.serverName({ id: serverId }), () => 'the server')
    return { _tag: 'read', error: `${name} is no longer in the inventory: nothing of it was synced` }
  }
  const row = found.value
  const progress = new JobProgress()
  const serverJob: ServerJob = { ...job, server: row.facts.name }
  const resources = claimed.job.resources.filter((resource) => resource !== 'servers')
  const attempt = attemptAt(row.health, runId)
  if (attempt === 'none') return yield* readNothing(serverJob, row, resources)
  const reading = yield* readJob(serverJob, resources, progress, {
    last: claimed.last || attempt === 'once',
    // This run has just heard from the smallest request that it fails.
    asksAgain: attempt === 'whole' && row.health?.failed_run !== runId,
  })
  if (progress.heard !== null) yield* recordHealth(row, runId, progress.heard)
  return reading
})

/** The job of a server that this run has found in trouble already, as so many runs before it. */
const readNothing = (job: ServerJob, { health }: ServerRow, resources: ReadonlyArray<Resource>) =>
  Effect.gen(function* () {
    const code = health?.last_error_code ?? 'unreachable'
    const message = `${health?.consecutive_failures ?? 0} runs in a row have failed: ${health?.last_error ?? ''}`
    yield* skipRemaining(job, resources, new JobProgress(), { code, message })
    const reading: ReadOutcome = { _tag: 'read', error: null }
    return reading
  })

const recordHealth = (
  { id, facts, health: before }: ServerRow,
  runId: number,
  heard: ContactReport,
): Effect.Effect<void, StoreFailed, Runs | ServerObservations> =>
  Effect.gen(function* () {
    const checked = facts.verify_ssl || facts.fingerprint !== ''
    const contact: Contact = { ...heard, runId, checked }
    const health = nextHealth(before, contact)
    yield* (yield* ServerObservations).record({ serverId: id, health })
    yield* logStatus(facts.name, before, health)
    // The run's list of servers has warned of it already.
    if (heard._tag !== 'failed' || heard.code !== 'tls_fingerprint_mismatch' || before?.failed_run === runId) return
    const warning = { scope: null, code: heard.code, message: `${facts.name}: ${heard.message}`, count: 1 }
    yield* (yield* Runs).warn({ id: runId, warnings: [warning] })
  })
