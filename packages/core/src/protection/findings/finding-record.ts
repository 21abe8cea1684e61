import type { FindingKind, FindingModel, FindingState, Severity } from './finding.ts'

/** A finding as it is read. Times are RFC 3339. */
export interface Finding {
  readonly id: number
  readonly kind: FindingKind
  readonly severity: Severity
  readonly state: FindingState
  readonly model: FindingModel | null
  readonly object_id: number | null
  /** The object in words, which outlive it. */
  readonly title: string
  readonly server: { readonly id: number; readonly name: string } | null
  /** The finding that keeps this one's cause from being seen: an outage of its server. Null: none. */
  readonly parent: { readonly id: number; readonly title: string } | null
  /** Null: not known. */
  readonly since: string | null
  readonly count: number
  readonly sentence: string
  readonly step: string
  readonly opened: string
  /** When the cause was seen last. */
  readonly last_seen: string
  readonly closed: string | null
  /** The observation that closed it; empty: it is not closed. */
  readonly closed_by: string
  /** Null: it is not snoozed, and was not when it closed. */
  readonly snoozed_until: string | null
  readonly snooze_reason: string
  readonly snoozed_by: string
  readonly snoozed_at: string | null
}
