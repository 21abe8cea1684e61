import {
  type Branch,
  type BranchStatus,
  branchFields,
  type Change,
  openBranchStatuses,
  scopeKey,
} from '@netbox-pbs/core'
import {
  type Appended,
  Branches,
  type BranchFilter,
  BranchInConflict,
  BranchNameTaken,
  BranchNotApproved,
  BranchNotFound,
  BranchNotOpen,
  type Landing,
  type NamespacePlace,
  type WaitingGroup,
} from '@netbox-pbs/core/ports'
import { queried } from '@netbox-pbs/testing/contract'
import { Effect, Layer, Option, Stream } from 'effect'

const notInMemory = Effect.dieMessage('no use case asks this of a branch in memory')

/** How many changes of a kind the parts of a branch hold. */
const changesOf = (branch: MemoryBranch, tag: Change['_tag']) =>
  branch.parts.flatMap(({ changes }) => changes).filter(({ _tag }) => _tag === tag).length

/** A scope as a branch holds it. */
export interface StagedScope {
  readonly landing: Landing
  readonly parts: ReadonlyArray<Appended>
  /** Groups as they were staged, with what main had of each. */
  readonly groups: ReadonlyArray<{ readonly staged: WaitingGroup; readonly main: string }>
}

/** A branch of the fake. */
export class MemoryBranch {
  readonly scopes = new Map<string, StagedScope>()
  branch: Branch
  /**
   * Conflicts with main that have no answer, and those of them that a policy may answer. A test
   * says what main has done.
   */
  withMain = 0
  overridable = 0

  constructor(branch: Branch) {
    this.branch = branch
  }

  /** Conflicts without an answer. A scope whose deletions the guard holds is one, and waits for a person. */
  get conflicts(): number {
    const held = [...this.scopes.values()].filter(
      ({ landing, parts }) =>
        landing.held !== null && parts.some(({ changes }) => changes.some(({ _tag }) => _tag === 'delete')),
    )
    return this.withMain + held.length
  }

  get parts(): ReadonlyArray<Appended> {
    return [...this.scopes.values()].flatMap(({ parts }) => parts)
  }

  get changes(): number {
    return this.parts.flatMap(({ changes }) => changes).length
  }

  /** Whether the run opened it or was the last to stage a scope into it. */
  isOf(runId: number): boolean {
    return this.branch.run_id === runId || [...this.scopes.values()].some(({ landing }) => landing.runId === runId)
  }
}

/** The branches of a system in memory. */
export class MemoryBranches {
  readonly all: Array<MemoryBranch> = []
  /** Places of scopes that are set to review. */
  readonly reviewed = new Set<string>()
  /** Lands a staged scope in main. */
  land: (staged: Pick<StagedScope, 'landing' | 'parts'>) => void = () => {}
  /** The groups that wait in the scope of a namespace and that main has as they were staged. */
  waitingGroups: Branches['Type']['waitingGroups'] = () => Stream.empty

  /** The open branch that covers the scope of a place, else the one of this id. */
  covering(place: string, id: number): MemoryBranch | undefined {
    const open = this.all.filter(({ branch }) => openBranchStatuses.includes(branch.status))
    return open.find(({ scopes }) => scopes.has(place)) ?? open.find(({ branch }) => branch.id === id)
  }

  #coveredNamespaces(serverId: number): ReadonlyArray<NamespacePlace> {
    return this.all
      .filter(({ branch }) => openBranchStatuses.includes(branch.status))
      .flatMap(({ scopes }) => [...scopes])
      .flatMap(([place, { landing }]) => {
        const { scope } = landing
        const isOf = scope.resource === 'snapshots' && place === scopeKey({ ...scope, server: `#${serverId}` })
        return isOf ? [scope] : []
      })
  }

  /** Of a scope that is set to review the branch that holds changes of it, null for none; undefined: it may land. */
  reviewing(place: string): number | null | undefined {
    return this.reviewed.has(place) ? (this.covering(place, 0)?.branch.id ?? null) : undefined
  }

  statusOf(id: number): BranchStatus {
    return this.all.find(({ branch }) => branch.id === id)?.branch.status ?? 'closed'
  }

  /** Whether all that a run staged has landed. */
  mergedOf(runId: number): boolean {
    const counted = this.all.filter(
      (found) => found.isOf(runId) && !['no_changes', 'superseded'].includes(found.branch.status),
    )
    return counted.length > 0 && counted.every(({ branch }) => branch.status === 'merged')
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
      Effect.suspend(() => {
        const taken = ({ branch }: MemoryBranch) => branch.name === name || (runId !== null && branch.run_id === runId)
        if (this.all.some(taken)) return new BranchNameTaken({ name })
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
        return Effect.succeed(branch)
      }),
    get: ({ id }) =>
      Effect.sync(() =>
        Option.map(
          this.#find(({ branch }) => branch.id === id),
          this.#read,
        ),
      ),
    bySchemaId: () => notInMemory,
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
    coveredNamespaces: ({ serverId }) => Effect.sync(() => this.#coveredNamespaces(serverId)),
    waitingGroups: (place) => this.waitingGroups(place),
    list: ({ limit, offset, where = [], order = [], ...filter }) =>
      Effect.sync(() => {
        const found = this.all.filter((branch) => matches(branch, filter)).map(this.#read)
        const rows = queried(order.length > 0 ? found : found.toReversed(), branchFields, listed, { where, order })
        return { count: rows.length, rows: rows.slice(offset, offset + limit) }
      }),
    update: () => notInMemory,
    changes: () => notInMemory,
    conflicts: () => notInMemory,
    check: ({ id }) =>
      Effect.map(this.#open(id), (found) =>
        this.#set(found, { status: found.conflicts > 0 ? 'in_review' : 'ready', checked: '2026-05-01T03:00:00Z' }),
      ),
    resolve: ({ id }) =>
      Effect.map(this.#open(id), (found) => {
        found.withMain -= found.overridable
        return found.overridable
      }),
    merge: ({ id, commit, by, at, approval }) =>
      Effect.flatMap(this.#open(id), (found): ReturnType<Branches['Type']['merge']> => {
        if (approval && !found.branch.approved) return new BranchNotApproved({ id })
        if (found.conflicts > 0) return new BranchInConflict({ id, conflicts: found.conflicts })
        const counts = {
          created: changesOf(found, 'create'),
          updated: changesOf(found, 'update'),
          deleted: changesOf(found, 'delete'),
        }
        if (!commit) return Effect.succeed({ branch: this.#read(found), counts, skipped: 0 })
        for (const staged of found.scopes.values()) this.land(staged)
        this.#endReview(found)
        const merged_by = 'user' in by ? by.user : ''
        const branch = this.#set(found, { status: 'merged', merged: at, merged_by })
        return Effect.succeed({ branch, counts, skipped: 0 })
      }),
    close: ({ id, status }) =>
      Effect.map(this.#open(id), (found) => {
        this.#endReview(found)
        found.scopes.clear()
        found.withMain = 0
        return this.#set(found, { status })
      }),
  })

  #find(which: (branch: MemoryBranch) => boolean): Option.Option<MemoryBranch> {
    return Option.fromNullable(this.all.find(which))
  }
}

/** A branch by the fields of the list. */
const listed = ({ merged: merged_time, approved_at: approved_time, conflicts: conflict_count, ...branch }: Branch) => ({
  ...branch,
  merged_time,
  approved_time,
  conflict_count,
})

/** Whether a branch has what each part of a filter asks for. */
function matches(found: MemoryBranch, { statuses, names, search = '', stagedBy }: BranchFilter): boolean {
  const { status, name, user, description } = found.branch
  return (
    (statuses?.includes(status) ?? true) &&
    (names?.includes(name) ?? true) &&
    [name, description, user].some((text) => text.toLowerCase().includes(search.toLowerCase())) &&
    (stagedBy === undefined || found.isOf(stagedBy))
  )
}
