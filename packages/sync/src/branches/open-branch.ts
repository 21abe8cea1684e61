import { type Branch, branchName, type Run } from '@netbox-pbs/core'
import { Branches, type BranchNameTaken, SettingsStore, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { now } from '../moment.ts'

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
