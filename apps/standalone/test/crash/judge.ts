import { differingScopes, type ScopeDigests } from './scope-digests.ts'

/** Main as it was looked at after a kill. */
export interface Look {
  readonly after: string
  readonly digests: ScopeDigests
}

/** The judgement on the looks of one sync. */
export interface Judgement {
  /** Looks that found both old and new scopes. */
  readonly between: number
  /** One sentence each. */
  readonly faults: ReadonlyArray<string>
}

/**
 * Every scope of every look equals its state before the sync or after it, when main is known to
 * equal the source. A scope that has reached the later state keeps it: nothing committed was lost.
 */
export function judge(before: ScopeDigests, looks: ReadonlyArray<Look>, after: ScopeDigests): Judgement {
  const faults: Array<string> = []
  let between = 0
  let earlier: ReadonlySet<string> = new Set()
  for (const look of looks) {
    const moved = new Set(differingScopes(before, look.digests))
    const pending = differingScopes(look.digests, after)
    const torn = pending.filter((scope) => moved.has(scope))
    if (torn.length > 0) faults.push(`after ${look.after}: neither as before nor as the source: ${torn.join(', ')}`)
    const lost = [...earlier].filter((scope) => !moved.has(scope))
    if (lost.length > 0) faults.push(`after ${look.after}: had landed and is gone: ${lost.join(', ')}`)
    if (moved.size > 0 && pending.length > 0) between++
    earlier = moved
  }
  return { between, faults }
}
