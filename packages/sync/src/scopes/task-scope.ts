import {
  diff,
  isTaskKept,
  naturalKey,
  type Observations,
  type Scope,
  type ScopeOutcome,
  scopeTitle,
  type TaskWindow,
  taskWindow,
} from '@netbox-pbs/core'
import {
  ChangeSets,
  Inventory,
  type KnownTask,
  type Observed,
  type SourceFrame,
  type StoreFailed,
} from '@netbox-pbs/core/ports'
import { Clock, Effect, Stream } from 'effect'
import { now } from '../timestamp.ts'
import { batchRows, landScope, nothingDeleted } from './land-scope.ts'
import type { RowFrame } from './read-step.ts'
import {
  breach,
  type Completed,
  type JobStopped,
  type ScopeBroken,
  type ScopePorts,
  type ScopeWork,
  type ServerJob,
} from './scope-work.ts'

/** The tasks of one server. */
type TaskScopeName = Extract<Scope, { readonly resource: 'tasks' }>
type TaskFrame = Extract<SourceFrame, { readonly _tag: 'task' }>
type TaskObservation = Observations<'task'>

/**
 * The tasks of a server, as far as the window reaches: it adds tasks that main lacks and that are
 * within retention, and the end of tasks that main has as running. Tasks are history, so a list
 * that lacks one deletes nothing.
 */
export class TaskScope implements ScopeWork {
  readonly #job: ServerJob
  readonly #scope: TaskScopeName
  readonly #window: TaskWindow
  readonly #started: string
  /** Tasks that main believes to be running and that this list has not shown so far, by UPID. */
  readonly #unseen = new Map<string, KnownTask>()
  #batch: Array<TaskFrame> = []
  #changes = 0
  #unchanged = 0
  listed = 0

  private constructor(job: ServerJob, scope: TaskScopeName, window: TaskWindow, started: string) {
    this.#job = job
    this.#scope = scope
    this.#window = window
    this.#started = started
  }

  /** Reads the tasks that main believes to be running. */
  static readonly open = Effect.fn('sync.openTasks')(function* (
    job: ServerJob,
    scope: TaskScopeName,
    window: TaskWindow,
  ) {
    const self = new TaskScope(job, scope, window, yield* now)
    const running = (yield* Inventory).runningTasks({ serverId: job.serverId })
    yield* Stream.runForEach(running, (task) => Effect.sync(() => self.#unseen.set(task.facts.upid, task)))
    return self
  })

  row(frame: RowFrame): Effect.Effect<void, ScopeBroken | JobStopped, ScopePorts> {
    if (frame._tag !== 'task') return Effect.void
    this.listed++
    this.#unseen.delete(frame.facts.upid)
    this.#batch.push(frame)
    return this.#batch.length < batchRows ? Effect.void : this.#compareBatch
  }

  complete({
    count,
    visibility,
    leftOut,
  }: Completed): Effect.Effect<ScopeOutcome, ScopeBroken | JobStopped, ScopePorts> {
    return Effect.gen(this, function* () {
      if (count !== this.listed) {
        const title = scopeTitle(this.#scope)
        return yield* breach(`${title} ended with a count of ${count}, but ${this.listed} rows came`)
      }
      yield* this.#compareBatch
      const before = yield* (yield* Inventory).scopeState(this.#scope)
      const sameVisibility = before.visibility === visibility
      // Tasks that another visibility hides, and those that could not be read, may still run.
      if (sameVisibility && leftOut === 0) yield* this.#append([], [...this.#unseen.values()].map(lost))
      // History is nothing to review: it lands also in a run whose other scopes wait in a branch.
      const { outcome } = yield* landScope(
        { ...this.#job, branch: null },
        {
          scope: this.#scope,
          started: this.#started,
          // Another visibility may show older tasks too: without one remembered, the next run reads all of them.
          visibility: sameVisibility || this.#window.whole ? visibility : null,
          verdict: nothingDeleted,
          listed: true,
          leftOut,
          changes: this.#changes,
          unchanged: this.#unchanged,
        },
      )
      return outcome
    })
  }

  get #compareBatch() {
    return Effect.gen(this, function* () {
      const frames = this.#batch
      this.#batch = []
      if (frames.length === 0) return
      const upids = frames.map(({ facts }) => facts.upid)
      const main = yield* Stream.runCollect((yield* Inventory).tasks({ serverId: this.#job.serverId, upids }))
      const known = new Map([...main].map((task) => [task.facts.upid, task]))
      const taken = frames.filter(({ facts }) => known.has(facts.upid) || isTaskKept(facts.starttime, this.#window))
      const within = { server: this.#job.serverId }
      const source = [{ within, rows: taken.map(({ facts }) => facts) }]
      const { changes, unchanged } = diff({ model: 'task', main, source, complete: false })
      this.#changes += changes.length
      this.#unchanged += unchanged
      const news = taken.filter(({ facts, observed }) => !sameObservation(known.get(facts.upid)?.observed, observed))
      yield* this.#append(
        changes,
        news.map(({ facts, observed }) => ({ key: naturalKey('task', facts, within), values: observed })),
      )
    })
  }

  #append(changes: ReturnType<typeof diff<'task'>>['changes'], observed: ReadonlyArray<Observed<'task'>>) {
    return Effect.gen(this, function* () {
      if (changes.length + observed.length === 0) return
      const { changeSet } = this.#job
      yield* (yield* ChangeSets).append({ changeSet, scope: this.#scope, model: 'task', changes, observed })
    })
  }
}

const sameObservation = (known: TaskObservation | undefined, read: TaskObservation): boolean =>
  known !== undefined &&
  known.endtime === read.endtime &&
  known.outcome === read.outcome &&
  known.status === read.status

/** The end of the task will never be known: its worker died with its server, or its entry is gone. */
const lost = ({ facts }: KnownTask): Observed<'task'> => ({
  key: naturalKey('task', facts),
  values: { endtime: null, outcome: 'unknown', status: '' },
})

/** The tasks to ask a server for, by main's tasks. */
export const readWindow = Effect.fn('sync.readWindow')(function* ({
  server,
  serverId,
  taskRetentionDays: retentionDays,
}: ServerJob): Effect.fn.Return<TaskWindow, StoreFailed, Inventory> {
  const inventory = yield* Inventory
  const { lastCompleteAt, visibility } = yield* inventory.scopeState({ resource: 'tasks', server })
  const marks = yield* inventory.taskMarks({ serverId })
  const millis = yield* Clock.currentTimeMillis
  return taskWindow({ now: Math.floor(millis / 1000), retentionDays, lastCompleteAt, visibility, marks })
})
