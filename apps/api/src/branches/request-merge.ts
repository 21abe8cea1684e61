import type { Actor } from '@netbox-pbs/core'
import { Branches, SettingsStore } from '@netbox-pbs/core/ports'
import { now } from '@netbox-pbs/sync'
import { Effect } from 'effect'

/**
 * Merges a branch as a person: with the approval that the settings ask for. Without `commit` it is
 * done and taken back.
 */
export const requestMerge = Effect.fn('requestMerge')(function* ({
  id,
  commit,
  by,
}: {
  readonly id: number
  readonly commit: boolean
  readonly by: Actor
}) {
  const { branch_approval_required: approval } = yield* (yield* SettingsStore).get()
  const at = yield* now
  return yield* (yield* Branches).merge({ id, commit, by, at, approval })
})
