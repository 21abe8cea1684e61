/** The part of the settings that the guard reads. */
export interface GuardSettings {
  /** Largest share of a scope's rows that one run may delete, 0 to 1. */
  readonly guard_max_share: number
  /** A scope may always lose this many rows. */
  readonly guard_min_rows: number
}

/** A complete scope, about to land. */
export interface GuardInput {
  readonly settings: GuardSettings
  /** Rows that the last landed list of the scope had, those held as missing included. */
  readonly before: number
  /** Rows that the source lists now. */
  readonly listed: number
  readonly deletions: number
  /** The caller's privileges on the scope are not those of the last landed list. */
  readonly visibilityChanged: boolean
}

/** Why deletions may wait. */
export const holdReasons = ['visibility_changed', 'emptied', 'too_many', 'children_held', 'unconfirmed'] as const

/**
 * Why deletions wait. `children_held`: deletions of the row's children wait; `unconfirmed`: the row
 * went missing after the deletions of its scope were confirmed.
 */
export type HoldReason = (typeof holdReasons)[number]

/** The reasons in words, to follow `they stay:`. */
export const whyHeld: Readonly<Record<HoldReason, string>> = {
  visibility_changed: 'the privileges it is listed with are not those of the last complete list',
  emptied: 'the list is empty',
  too_many: 'more rows are missing than guard_max_share and guard_min_rows allow at once',
  children_held: 'deletions of their children are held back',
  unconfirmed: 'they went missing after the others were confirmed',
}

/** Whether a scope's deletions land or wait. */
export type Verdict = { readonly _tag: 'land' } | { readonly _tag: 'hold'; readonly reason: HoldReason }

/** A scope of at least this many rows that lists none is held back under all settings. */
const emptiedRows = 10

/**
 * Holds back the deletions of a scope that would lose more than the share and more than the
 * minimum, of one with ten rows or more that now lists none, and of one listed with other
 * privileges than before. It does not judge creations and updates.
 */
export function guard({ settings, before, listed, deletions, visibilityChanged }: GuardInput): Verdict {
  if (deletions === 0) return { _tag: 'land' }
  if (visibilityChanged) return { _tag: 'hold', reason: 'visibility_changed' }
  if (listed === 0 && before >= emptiedRows) return { _tag: 'hold', reason: 'emptied' }
  if (deletions > before * settings.guard_max_share && deletions > settings.guard_min_rows)
    return { _tag: 'hold', reason: 'too_many' }
  return { _tag: 'land' }
}
