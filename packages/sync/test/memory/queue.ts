import { type ClaimedJob, Queue, type SyncJob } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'

interface Queued {
  readonly id: string
  readonly job: SyncJob
  readonly urgent: boolean
  attempt: number
  active: boolean
  /** Waits for the end of a delay. */
  delayed: boolean
}

/** A queue in memory: at most one active job a server, three tries each. */
export class MemoryQueue {
  readonly jobs: Array<Queued> = []
  readonly events: Array<string> = []
  onRetry: () => void = () => {}
  #nextId = 1
  /** Parts of runs that were queued once, also those that are done. */
  readonly #queued = new Set<string>()
  readonly tries = 3
  /** Whether a job waits after a try that failed, until `endDelays`. */
  delays = false

  readonly claim: Effect.Effect<Option.Option<ClaimedJob>> = Effect.sync(() => Option.fromNullable(this.#claim()))

  readonly layer = Layer.succeed(Queue, {
    enqueue: (job, { urgent }) =>
      Effect.sync(() => {
        const part = `${job.runId} ${job.serverId}`
        if (this.#queued.has(part)) return
        this.#queued.add(part)
        this.jobs.push({ id: `job-${this.#nextId++}`, job, urgent, attempt: 0, active: false, delayed: false })
      }),
    drop: ({ runId }) =>
      Effect.sync(() => {
        const dropped = this.jobs.filter(({ job, active }) => job.runId === runId && !active)
        for (const queued of dropped) this.jobs.splice(this.jobs.indexOf(queued), 1)
        return dropped.map(({ job }) => job.serverId)
      }),
    missing: (requested) =>
      Effect.sync(() =>
        requested.filter(
          ({ runId, serverId }) => !this.jobs.some(({ job }) => job.runId === runId && job.serverId === serverId),
        ),
      ),
    claim: ({ avoid = [] } = {}) =>
      avoid.length === 0 ? this.claim : Effect.sync(() => Option.fromNullable(this.#claim(avoid))),
    heartbeat: ({ id }) => Effect.sync(() => void this.events.push(`heartbeat ${id}`)),
    complete: (claimed) => Effect.sync(() => this.#remove('complete', claimed)),
    retry: (claimed) =>
      Effect.sync(() => {
        this.onRetry()
        if (claimed.last) return this.#remove('dead', claimed)
        this.#giveBack('retry', claimed)
        const queued = this.#find(claimed)
        if (queued !== undefined) queued.delayed = this.delays
      }),
    release: (claimed) =>
      Effect.sync(() => {
        this.#giveBack('release', claimed)
        const queued = this.#find(claimed)
        if (queued?.attempt === claimed.attempt) queued.attempt--
      }),
    busy: ({ serverId }) => Effect.sync(() => this.jobs.some(({ job }) => job.serverId === serverId)),
  })

  /** Lets the time pass that jobs wait for. */
  endDelays(): void {
    for (const queued of this.jobs) queued.delayed = false
  }

  /** Removes all jobs and the record of earlier ones. */
  clear(): void {
    this.jobs.length = 0
    this.#queued.clear()
  }

  #claim(avoid: ReadonlyArray<number> = []): ClaimedJob | undefined {
    for (const queued of this.jobs) if (avoid.includes(queued.job.serverId ?? 0)) queued.delayed = true
    const free = this.jobs.filter(
      ({ job, active, delayed }) =>
        !active && !delayed && !this.jobs.some((other) => other.active && other.job.serverId === job.serverId),
    )
    const next = free.find(({ urgent }) => urgent) ?? free[0]
    if (next === undefined) return undefined
    next.active = true
    next.attempt++
    const { id, job, attempt } = next
    return { id, job, attempt, last: attempt >= this.tries, heartbeatTimeoutSeconds: 60 }
  }

  #find({ id }: ClaimedJob): Queued | undefined {
    return this.jobs.find((queued) => queued.id === id)
  }

  #remove(event: string, claimed: ClaimedJob): void {
    this.events.push(`${event} ${claimed.id}`)
    const index = this.jobs.findIndex(({ id }) => id === claimed.id)
    if (index >= 0) this.jobs.splice(index, 1)
  }

  #giveBack(event: string, claimed: ClaimedJob): void {
    this.events.push(`${event} ${claimed.id}`)
    const queued = this.#find(claimed)
    if (queued?.attempt === claimed.attempt) queued.active = false
  }
}
