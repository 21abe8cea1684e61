import type { CheckResult, RepairResult } from '@netbox-pbs/store-postgres'
import type { Effect } from 'effect'
import type { CannotRun } from '../failures.ts'

/** The stored values of a system, in its process or in its database. */
export interface StoredValues {
  /** Compares all of them; `onResult` hears of each check as soon as it is done. */
  readonly verify: (
    onResult: (result: CheckResult) => Effect.Effect<void>,
  ) => Effect.Effect<ReadonlyArray<CheckResult>, CannotRun>
  /** Computes those of some checks again that differ. */
  readonly repair: (
    only: ReadonlyArray<string>,
    onResult: (result: RepairResult) => Effect.Effect<void>,
  ) => Effect.Effect<ReadonlyArray<RepairResult>, CannotRun>
}
