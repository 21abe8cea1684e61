import { type Branch, type BranchStatus, noRows, openBranchStatuses } from '@netbox-pbs/core'
import {
  type Appended,
  Branches,
  BranchInConflict,
  BranchNotApproved,
  BranchNotFound,
  BranchNotOpen,
  type Landing,
} from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'

const notInMemory = Effect.dieMessage('no use case asks this of a branch in memory')

/** A scope as a branch holds it. */
export interface StagedScope {
  readonly landing: Landing
  readonly parts: ReadonlyArray<Appended>
}

/** A branch of the fake. */
export class MemoryBranch {
  readonly scopes = new Map<string, StagedScope>()
  branch: Branch
  /** Conflicts without an answer, of which those that a policy may answer. A test says what main has done. */
  conflicts = 0
  overridable = 0

  constructor(branch: Branch) {
    this.branch = branch
  }

  get changes(): number {
    return [...this.scopes.values()].flatMap(({ parts }) => parts.flatMap(({ changes }) => changes)).length
  }
}

/** The branches of a system in memory. */
export class MemoryBranches {
  readonly all: Array<MemoryBranch> = []
  /** Places of scopes that are set to review. */
  readonly reviewed = new Set<string>()
  /** Lands a staged scope in main. */
  land: (staged: StagedScope) => void = () => {}

  /** The open branch that covers the scope of a place, else the one of this id. */
  covering(place: string, id: number): MemoryBranch | undefined {
    const open = this.all.filter(({ branch }) => openBranchStatuses.includes(branch.status))
    return open.find(({ scopes }) => scopes.has(place)) ?? open.find(({ branch }) => branch.id === id)
  }

  /** Of a scope that is set to review the branch that holds changes of it, null for none; undefined: it may land. */
  reviewing(place: string): number | null | undefined {
    return this.reviewed.has(place) ? (this.covering(place, 0)?.branch.id ?? null) : undefined
  }

  statusOf(id: number): BranchStatus {
    return this.all.find(({ branch }) => branch.id === id)?.branch.status ?? 'closed'
  }

  #endReview({ scopes }: MemoryBranch): void {
    for (const key of scopes.keys()) this.reviewed.delete(key)
  }

  readonly #open = (id: number): Effect.Effect<MemoryBranch, BranchNotFound | BranchNotOpen> =>
    Effect.suspend((): Effect.Effect<MemoryBranch, BranchNotFound | BranchNotOpen> => {
      const found = this.all.find(({ branch }) => branch.id === id)
      if (found === undefined) return new BranchNotFound({ id })
      const { status } = found.branch
      return openBranchStatuses.includes(status) ? Effect.succeed(found) : new BranchNotOpen({ id, status })
    })

  readonly #read = (found: MemoryBranch): Branch => ({
    ...found.branch,
    review: found.branch.review || [...found.scopes.keys()].some((key) => this.reviewed.has(key)),
    changes: found.changes,
    conflicts: found.conflicts,
  })

  readonly #set = (found: MemoryBranch, change: Partial<Branch>): Branch => {
    found.branch = { ...found.branch, ...change }
    return this.#read(found)
  }

  readonly layer = Layer.succeed(Branches, {
    create: ({ name, kind, description, user, runId, review }) =>
      Effect.sync(() => {
        const branch: Branch = {
          id: this.all.length + 1,
          schema_id: `memory${String(this.all.length + 1).padStart(2, '0')}`,
          name,
          kind,
          status: 'open',
          description,
          user,
          run_id: runId,
          changes: 0,
          conflicts: 0,
          checked: null,
          created: '2026-05-01T03:00:00Z',
          last_updated: '2026-05-01T03:00:00Z',
          merged: null,
          merged_by: '',
          revision: 0,
          approved_by: '',
          approved_at: null,
          approved: false,
          review,
          reverts: null,
        }
        this.all.push(new MemoryBranch(branch))
        return branch
      }),
    get: ({ id }) =>
      Effect.sync(() =>
        Option.map(
          this.#find(({ branch }) => branch.id === id),
          this.#read,
        ),
      ),
    bySchemaId: ({ schemaId }) =>
      Effect.sync(() =>
        Option.map(
          this.#find(({ branch }) => branch.schema_id === schemaId),
          this.#read,
        ),
      ),
    overlay: () => {
      throw new Error('no use case asks this of a branch in memory')
    },
    approve: () => notInMemory,
    sync: () => notInMemory,
    revert: () => notInMemory,
    ofRun: ({ runId }) =>
      Effect.sync(() =>
        Option.map(
          this.#find(({ branch }) => branch.run_id === runId && !branch.review),
          this.#read,
        ),
      ),
    list: ({ statuses = openBranchStatuses, stagedBy }) =>
      Effect.sync(() => {
        const staged = ({ branch, scopes }: MemoryBranch) =>
          branch.run_id === stagedBy || [...scopes.values()].some(({ landing }) => landing.runId === stagedBy)
        const rows = this.all.filter((found) => statuses.includes(found.branch.status) && staged(found)).map(this.#read)
        return { count: rows.length, rows }
      }),
    update: ({ id }) => Effect.map(Effect.orDie(this.#open(id)), this.#read),
    changes: () => Effect.succeed({ count: 0, rows: [] }),
    conflicts: () => Effect.succeed({ count: 0, rows: [] }),
    check: ({ id }) =>
      Effect.map(this.#open(id), (found) =>
        this.#set(found, { status: found.conflicts > 0 ? 'in_review' : 'ready', checked: '2026-05-01T03:00:00Z' }),
      ),
    resolve: ({ id }) =>
      Effect.map(this.#open(id), (found) => {
        found.conflicts -= found.overridable
        return found.overridable
      }),
    merge: ({ id, at, approval }) =>
      Effect.flatMap(this.#open(id), (found): ReturnType<Branches['Type']['merge']> => {
        if (approval && !found.branch.approved) return new BranchNotApproved({ id })
        if (found.conflicts > 0) return new BranchInConflict({ id, conflicts: found.conflicts })
        for (const staged of found.scopes.values()) this.land(staged)
        this.#endReview(found)
        return Effect.succeed({
          branch: this.#set(found, { status: 'merged', merged: at }),
          counts: noRows,
          skipped: 0,
        })
      }),
    close: ({ id, status }) =>
      Effect.map(this.#open(id), (found) => {
        this.#endReview(found)
        return this.#set(found, { status })
      }),
  })

  #find(which: (branch: MemoryBranch) => boolean): Option.Option<MemoryBranch> {
    return Option.fromNullable(this.all.find(which))
  }
}
