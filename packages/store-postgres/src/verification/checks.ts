import { branchChecks } from './branch-checks.ts'
import { branchCountChecks } from './branch-counts.ts'
import type { Check } from './check.ts'
import { groupChecks } from './group-checks.ts'
import { guestChecks } from './guest-checks.ts'
import { jobChecks } from './job-checks.ts'
import { mainChecks } from './main-checks.ts'
import { protectionChecks } from './protection-checks.ts'
import { recordChecks } from './record-checks.ts'
import { scopeChecks } from './scope-checks.ts'

/**
 * Every stored value that follows from other rows, and every promise between rows that no constraint
 * of the database holds. A repair counts on those of the checks before it.
 */
export const checks: ReadonlyArray<Check> = [
  ...groupChecks,
  ...protectionChecks,
  ...scopeChecks,
  ...mainChecks,
  ...guestChecks,
  ...jobChecks,
  ...branchCountChecks,
  ...branchChecks,
  ...recordChecks,
]

/** The checks of these names, in their order; undefined: all. */
export const checksNamed = (only: ReadonlyArray<string> | undefined): ReadonlyArray<Check> =>
  only === undefined ? checks : checks.filter(({ name }) => only.includes(name))
