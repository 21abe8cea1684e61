import {
  type Branch,
  branchName,
  conflictKinds,
  openBranchStatuses,
  policyResolution,
  possibleChoices,
  type Run,
} from '@netbox-pbs/core'
import {
  Branches,
  type BranchNameTaken,
  type BranchNotFound,
  type BranchNotOpen,
  type MergeRefused,
  Runs,
  SettingsStore,
  type StoreFailed,
} from '@netbox-pbs/core/ports'
import { Effect, Option } from 'effect'
import { now } from '../timestamp.ts'

/** Opens the branch that a run stages into, when the settings ask for branches; null: its scopes land at once. */
export const openBranch = Effect.fn('sync.openBranch')(function* (
  run: Pick<Run, 'id' | 'user'>,
): Effect.fn.Return<Branch | null, StoreFailed | BranchNameTaken, Branches | SettingsStore> {
  const { branching_enabled, branch_name_prefix } = yield* (yield* SettingsStore).get()
  if (!branching_enabled) return null
  const name = branchName(branch_name_prefix, run.id, yield* now)
  return yield* (yield* Branches).create({
    name,
    kind: 'sync',
    description: '',
    user: run.user,
    runId: run.id,
    review: false,
  })
})

/**
 * The branch for a run's changes in scopes that are set to review, opened for the first of them. It
 * requires manual approval even without conflicts; the other scopes of the run land as usual.
 */
export const openReviewBranch = Effect.fn('sync.openReviewBranch')(function* (
  runId: number,
): Effect.fn.Return<number, StoreFailed | BranchNameTaken, Branches | Runs | SettingsStore> {
  const opened = reviewBranchOf(runId)
  const found = yield* opened
  if (found !== undefined) return found.id
  const { branch_name_prefix } = yield* (yield* SettingsStore).get()
  const run = yield* (yield* Runs).get({ id: runId })
  const user = Option.match(run, { onNone: () => '', onSome: (known) => known.user })
  const name = branchName(branch_name_prefix, runId, yield* now)
  const opening = (yield* Branches).create({ name, kind: 'sync', description: '', user, runId, review: true })
  const branch = yield* opening.pipe(
    Effect.catchTag('BranchNameTaken', (taken) =>
      // Another job of the run has just opened it.
      Effect.flatMap(opened, (other) => (other === undefined ? taken : Effect.succeed(other))),
    ),
  )
  return branch.id
})

const reviewBranchOf = (runId: number): Effect.Effect<Branch | undefined, StoreFailed, Branches> =>
  Effect.gen(function* () {
    const staged = (yield* Branches).list({ statuses: openBranchStatuses, stagedBy: runId, limit: 100, offset: 0 })
    return (yield* staged).rows.find(({ run_id, review }) => run_id === runId && review)
  })

/** Branches looked at in one go. */
const pageSize = 100

/** Kinds that `overwrite` may answer with the branch's side; the rest is for a person. */
const overridden = conflictKinds.filter(
  (kind) =>
    policyResolution('overwrite', { kind }) !== null && possibleChoices({ kind, field: null }).includes('branch'),
)

/**
 * Ends the branches of a run that has ended, its own and those of earlier runs that it has
 * refreshed: each is compared with main, closed if it has no change, merged if it has no conflict,
 * else treated as `branch_on_conflict` says. It can be repeated after a crash, because a branch
 * that has ended does not change.
 */
export const finishBranches = Effect.fn('sync.finishBranches')(function* (
  runId: number,
): Effect.fn.Return<void, StoreFailed, Branches | SettingsStore> {
  const branches = yield* Branches
  const { rows } = yield* branches.list({ statuses: openBranchStatuses, stagedBy: runId, limit: pageSize, offset: 0 })
  for (const { id } of rows) {
    // Another process may have ended the branch since, or main has changed since the comparison:
    // either state is valid.
    yield* closeOrMerge(id, runId).pipe(
      Effect.catchTags({
        BranchNotFound: () => Effect.void,
        BranchNotOpen: () => Effect.void,
        BranchNotApproved: ({ message }) => Effect.logInfo('a branch waits for review', message),
        BranchScopeUnknown: ({ message }) => Effect.logWarning('a branch cannot be merged', message),
        BranchValueTaken: ({ message }) => Effect.logWarning('a branch cannot be merged', message),
        BranchInConflict: ({ message }) => Effect.logInfo('a branch waits for review', message),
      }),
    )
  }
})

const closeOrMerge = Effect.fn('sync.closeOrMergeBranch')(function* (
  id: number,
  runId: number,
): Effect.fn.Return<void, StoreFailed | MergeRefused, Branches | SettingsStore> {
  const branches = yield* Branches
  const branch = yield* branches.check({ id })
  if (branch.changes === 0) {
    yield* branches.close({ id, status: branch.run_id === runId ? 'no_changes' : 'superseded', by: { runId } })
    return
  }
  const conflicts = branch.conflicts === 0 ? 0 : yield* overwrite(branch, runId)
  if (conflicts > 0 || branch.review) return
  const { branch_approval_required: approval } = yield* (yield* SettingsStore).get()
  yield* branches.merge({ id, commit: true, by: { runId }, at: yield* now, approval })
})

/** Answers conflicts as the policy says, and gives how many are left. */
const overwrite = Effect.fn('sync.overwriteConflicts')(function* (
  { id, conflicts }: Branch,
  runId: number,
): Effect.fn.Return<number, StoreFailed | BranchNotFound | BranchNotOpen, Branches | SettingsStore> {
  const branches = yield* Branches
  const { branch_on_conflict } = yield* (yield* SettingsStore).get()
  if (branch_on_conflict === 'abort') return conflicts
  const filter = { resolved: false, kinds: overridden }
  const resolved = yield* branches.resolve({
    id,
    filter,
    resolution: { choice: 'branch' },
    user: 'overwrite',
    by: { runId },
  })
  return conflicts - resolved
})
