import type { Resource, Run, RunMode, Settings } from '@netbox-pbs/core'
import {
  Queue,
  ServerObservations,
  Source,
  SourceFailed,
  type SourceFrame,
  type SourceRequest,
} from '@netbox-pbs/core/ports'
import { Effect, Layer, Logger, LogLevel, Option, Stream } from 'effect'
import { runJob, startRun } from '../../src/index.ts'
import { MemoryBranches } from './branches.ts'
import { type ChangeSetLog, changeSetsLayer } from './change-sets.ts'
import { type Costs, costsLayer } from './costs.ts'
import { type FleetServer, fleetFrames, type Item, type Listing } from './fleet.ts'
import { heldDeletionsLayer } from './held-deletions.ts'
import { inventoryLayer } from './inventory.ts'
import { MemoryQueue } from './queue.ts'
import { MemoryRetention } from './retention.ts'
import type { RunRecord } from './run-record.ts'
import { runsLayer } from './runs.ts'
import { type Marks, schedulesLayer } from './schedules.ts'
import { MemorySettings } from './settings.ts'
import { MemoryWorkers } from './workers.ts'
import { World } from './world.ts'

/** A whole system in memory: every port that a sync needs, and a fleet to read. */
export class MemorySystem {
  readonly world = new World()
  readonly runs = new Map<number, RunRecord>()
  readonly costs: Costs = new Map()
  readonly queue = new MemoryQueue()
  readonly branches = new MemoryBranches()
  readonly retention = new MemoryRetention()
  readonly settings = new MemorySettings(this.world)
  readonly log: ChangeSetLog = { landings: [], largestAppend: 0, open: new Map() }
  readonly contacts: Array<string> = []
  readonly requests: Array<SourceRequest> = []
  fleet: ReadonlyArray<FleetServer> = []
  listing: Listing = {}
  /** The stream of a request; the fleet's unless a test says otherwise. */
  frames: (request: SourceRequest) => Iterable<Item> = (request) => fleetFrames(this.fleet, request, this.listing)

  /** Frames as they arrive, many at once; null: one by one, as `frames` says. */
  chunks: (() => ReadonlyArray<ReadonlyArray<SourceFrame>>) | null = null
  readonly marks: Marks = new Map()

  readonly #runs = runsLayer(this.runs, this.world, (id) => this.branches.mergedOf(id))

  readonly layer = Layer.mergeAll(
    schedulesLayer(this.world, this.marks).pipe(Layer.provide(this.#runs)),
    inventoryLayer(this.world),
    changeSetsLayer(this.world, this.log, { branches: this.branches, runs: this.runs }),
    this.branches.layer,
    heldDeletionsLayer(this.world),
    this.#runs,
    costsLayer(this.costs, this.runs, this.world),
    this.queue.layer,
    this.retention.layer,
    Layer.succeed(Source, {
      frames: (request) =>
        Stream.suspend(() => {
          this.requests.push(request)
          if (this.chunks !== null) return Stream.fromIterable(this.chunks()).pipe(Stream.flatMap(Stream.fromIterable))
          return Stream.fromIterable(this.frames(request)).pipe(
            Stream.mapEffect((item) => (Effect.isEffect(item) ? Effect.as(item, []) : Effect.succeed([item]))),
            Stream.flattenIterables,
          )
        }),
    }),
    this.settings.layer,
    new MemoryWorkers().layer,
    Layer.succeed(ServerObservations, {
      record: ({ serverId, health }) =>
        Effect.sync(() => {
          const facts = this.world.rows.server.get(serverId)?.facts
          if (facts === undefined) return
          const { last_seen_at = null } = this.world.health.get(serverId) ?? {}
          this.world.health.set(serverId, { ...health, last_seen_at: health.last_seen_at ?? last_seen_at })
          this.contacts.push(`${facts['name']} ${health.status}`)
        }),
    }),
  )

  set(change: Partial<Settings>): void {
    this.world.settings = { ...this.world.settings, ...change }
  }

  /** Starts a run and works until the queue is empty. */
  readonly sync = (
    resources: ReadonlyArray<Resource> = ['servers', 'datastores', 'snapshots', 'jobs'],
    servers: ReadonlyArray<string> | null = null,
    mode: RunMode = 'full',
  ): Effect.Effect<RunRecord> =>
    startRun({ resources, servers, trigger: 'manual', mode, user: 'admin' }).pipe(
      Effect.zipLeft(this.work),
      Effect.map(({ id }) => this.record(id)),
      Effect.provide(this.layer),
      Effect.orDie,
    )

  /** Runs twice and returns the record of the second run: rows that both lists lack are deleted. */
  readonly syncTwice = (resources?: ReadonlyArray<Resource>): Effect.Effect<RunRecord> =>
    Effect.zipRight(this.sync(resources), this.sync(resources))

  /** Takes jobs until none is left, as a worker does. */
  get work(): Effect.Effect<void> {
    return Effect.gen(this, function* () {
      for (;;) {
        const queue = yield* Queue
        const claimed = yield* queue.claim()
        if (Option.isNone(claimed)) return
        const outcome = yield* runJob(claimed.value)
        if (outcome._tag === 'retry') yield* queue.retry(claimed.value, outcome.reason)
        else if (outcome._tag === 'done') yield* queue.complete(claimed.value)
        else if (outcome._tag === 'renamed') yield* queue.release(claimed.value)
      }
    }).pipe(Effect.provide(this.layer), Effect.orDie)
  }

  record(id: number): RunRecord {
    const record = this.runs.get(id)
    if (record === undefined) throw new Error(`no run ${id}`)
    return record
  }

  /** The last run. */
  get lastRun(): Run {
    return this.record(this.runs.size).run
  }
}

/** A source that stops. */
export const cut = (retryable: boolean): Effect.Effect<never, SourceFailed> =>
  Effect.fail(new SourceFailed({ code: 'cut_off', message: 'the stream was cut off', retryable }))

/** Runs to the end; tests have no other world. */
export const run = <A>(effect: Effect.Effect<A>): Promise<A> =>
  Effect.runPromise(Logger.withMinimumLogLevel(effect, LogLevel.None))

/** A system that has landed this fleet once. */
export const synced = async (...fleet: ReadonlyArray<FleetServer>): Promise<MemorySystem> => {
  const system = new MemorySystem()
  system.fleet = fleet
  await run(system.sync())
  return system
}
