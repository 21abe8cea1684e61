import { type Branch, branchName, openBranchStatuses, type Run } from '@netbox-pbs/core'
import { Branches, type BranchNameTaken, Runs, SettingsStore, type StoreFailed } from '@netbox-pbs/core/ports'
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
