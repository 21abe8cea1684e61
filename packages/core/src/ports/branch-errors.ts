import { Data } from 'effect'
import type { BranchStatus } from '../status.ts'

/** Another branch has this name. */
export class BranchNameTaken extends Data.TaggedError('BranchNameTaken')<{ readonly name: string }> {
  override get message(): string {
    return `a branch named ${this.name} exists already: choose another name`
  }
}

/** No branch has that id. */
export class BranchNotFound extends Data.TaggedError('BranchNotFound')<{ readonly id: number }> {
  override get message(): string {
    return `there is no branch ${this.id}`
  }
}

/** The branch has ended: it can no longer be changed, compared or merged. */
export class BranchNotOpen extends Data.TaggedError('BranchNotOpen')<{
  readonly id: number
  readonly status: BranchStatus
}> {
  override get message(): string {
    return `branch ${this.id} is ${this.status.replace('_', ' ')}: only an open branch can be changed or merged`
  }
}

/** The branch holds changes staged by a run. The next run of a scope replaces them, so users cannot write in it. */
export class BranchOfRun extends Data.TaggedError('BranchOfRun')<{
  readonly id: number
  /** The run that opened it; null: it is not known. */
  readonly runId: number | null
}> {
  override get message(): string {
    return `this is the branch of ${this.runId === null ? 'a run' : `run ${this.runId}`}: open a branch of your own to edit`
  }
}

/** The branch has unresolved conflicts, so nothing was merged. */
export class BranchInConflict extends Data.TaggedError('BranchInConflict')<{
  readonly id: number
  readonly conflicts: number
}> {
  override get message(): string {
    return `branch ${this.id} has ${this.conflicts} open ${this.conflicts === 1 ? 'conflict: resolve it' : 'conflicts: resolve them'}, then merge again`
  }
}

/** After the merge two rows of main would have one value of a unique custom field, so nothing was merged. */
export class BranchValueTaken extends Data.TaggedError('BranchValueTaken')<{
  readonly id: number
  /** The name of the field, its value, and the rows that would have it. */
  readonly field: string
  readonly value: string
  readonly titles: ReadonlyArray<string>
}> {
  override get message(): string {
    return `the merge of branch ${this.id} would give ${this.titles.join(' and ')} one value of the unique custom field ${this.field}, ${this.value}: change one of them, then merge again`
  }
}

/**
 * The branch holds deletions of a scope whose server is not known, so the guard cannot judge them.
 * `scope` is its title.
 */
export class BranchScopeUnknown extends Data.TaggedError('BranchScopeUnknown')<{
  readonly id: number
  readonly scope: string
}> {
  override get message(): string {
    return `branch ${this.id} holds deletions in the ${this.scope}, but no server of that name is known: close the branch, and the next sync stages the present state of the source`
  }
}

/** The present revision of the branch needs the approval of a user other than its author. */
export class BranchNotApproved extends Data.TaggedError('BranchNotApproved')<{ readonly id: number }> {
  override get message(): string {
    return `branch ${this.id} is not approved in its present revision: ask a user other than its author to approve it`
  }
}

/** An approval that does not count: the approver is the author, or the branch has changed since it was looked at. */
export class ApprovalNotAllowed extends Data.TaggedError('ApprovalNotAllowed')<{
  readonly id: number
  readonly reason: 'own' | 'changed'
}> {
  override get message(): string {
    return this.reason === 'own'
      ? `branch ${this.id} is yours: ask another user to approve it`
      : `branch ${this.id} has changed since you looked at it: read it again, then approve its present revision`
  }
}

/** Only a merged branch can be reverted. */
export class BranchNotMerged extends Data.TaggedError('BranchNotMerged')<{
  readonly id: number
  readonly status: BranchStatus
}> {
  override get message(): string {
    return `branch ${this.id} is ${this.status.replace('_', ' ')}: only a merged branch can be reverted`
  }
}
