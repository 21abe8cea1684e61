import type { LoggedModel, otherLogged } from '../../change-log.ts'
import type { ModelName } from '../../registry/field.ts'

/** How bad a finding is, worst first. */
export const severities = ['critical', 'warning', 'info'] as const

/** How bad a finding is. */
export type Severity = (typeof severities)[number]

/** The states of a finding: snoozed until a time, after which it is open again. */
export const findingStates = ['open', 'snoozed', 'closed'] as const

/** The state of a finding. */
export type FindingState = (typeof findingStates)[number]

/** A kind of finding: its label, and the model of its object; null: the system as a whole. */
interface FindingKindRule {
  readonly label: string
  readonly model: LoggedModel | null
}

/** The kinds of findings. */
export const findingKindRules = {
  server_unreachable: { label: 'Server unreachable', model: 'server' },
  server_refused: { label: 'Server refuses the token', model: 'server' },
  certificate_changed: { label: 'Certificate changed', model: 'server' },
  certificate_untrusted: { label: 'Certificate not trusted', model: 'server' },
  clock_differs: { label: 'Clock differs', model: 'server' },
  privileges_missing: { label: 'Token lacks privileges', model: 'server' },
  datastore_unreadable: { label: 'Datastore not readable', model: 'datastore' },
  datastore_stuck: { label: 'Datastore does not answer', model: 'datastore' },
  datastore_nearly_full: { label: 'Datastore nearly full', model: 'datastore' },
  list_not_read: { label: 'List not read', model: 'datastore' },
  job_missed: { label: 'Job missed', model: 'job' },
  job_failing: { label: 'Job failing', model: 'job' },
  guest_missing: { label: 'Guest missing', model: 'group' },
  guest_at_risk: { label: 'Guest at risk', model: 'group' },
  guest_late: { label: 'Guest late', model: 'group' },
  guests_missing: { label: 'Guests missing', model: 'datastore' },
  guests_at_risk: { label: 'Guests at risk', model: 'datastore' },
  guests_late: { label: 'Guests late', model: 'datastore' },
  sync_silent: { label: 'Sync job silent', model: 'job' },
  deletions_held: { label: 'Deletions held', model: 'held_deletions' },
  branch_waiting: { label: 'Branch waits for review', model: 'branch' },
  workers_silent: { label: 'Workers silent', model: null },
} as const satisfies Readonly<Record<string, FindingKindRule>>

/** The kind of a finding. */
export type FindingKind = keyof typeof findingKindRules

/** The kinds of findings. */
export const findingKinds = Object.keys(findingKindRules) as ReadonlyArray<FindingKind> // border: the keys of a table that is written out here

/** What a finding is about. The texts survive the object. */
export interface FindingSubject {
  readonly kind: FindingKind
  readonly model: FindingModel | null
  /** Id of the object; null: the system as a whole. */
  readonly objectId: number | null
  /** The object in words: `archive on pbs-a`. */
  readonly title: string
  readonly server: { readonly id: number; readonly name: string } | null
}

/** The models of objects of findings. */
export type FindingModel = ModelName | Extract<(typeof otherLogged)[number], 'held_deletions' | 'branch'>

/** Identifies a cause among those of one time: two findings of one key are the same one. */
export const findingKey = ({ kind, objectId }: Pick<FindingSubject, 'kind' | 'objectId'>): string =>
  `${kind}/${objectId ?? 0}`

/** What is wrong, and what to do. */
export interface Cause {
  readonly subject: FindingSubject
  readonly severity: Severity
  /** Seconds since 1970; null: not known. */
  readonly since: number | null
  /** Whether `since` is only when it was noticed, so that a finding keeps its first one. */
  readonly noticed?: boolean
  /** Objects that the finding stands for: 1 where it is its own. */
  readonly count: number
  /** What is wrong. It has no age in it, so that it changes only with the facts. */
  readonly sentence: string
  /** What mends it. */
  readonly step: string
}

/** What the facts say of one subject. */
export type Judged =
  | { readonly _tag: 'found'; readonly cause: Cause }
  /** An observation shows that there is no such cause. `by` says which. */
  | { readonly _tag: 'clear'; readonly key: string; readonly by: string }
  /** Nothing is known now. `under`: the key of the finding that is the reason; null: there is none. */
  | { readonly _tag: 'unknown'; readonly key: string; readonly under: string | null }

/** Judges a subject as found. */
export const found = (cause: Omit<Cause, 'count'> & { readonly count?: number }): Judged => ({
  _tag: 'found',
  cause: { count: 1, ...cause },
})

/** Judges a subject as clear by an observation. */
export const clear = (subject: Pick<FindingSubject, 'kind' | 'objectId'>, by: string): Judged => ({
  _tag: 'clear',
  key: findingKey(subject),
  by,
})

/** Judges a subject as unknown. */
export const unknown = (subject: Pick<FindingSubject, 'kind' | 'objectId'>, under: string | null = null): Judged => ({
  _tag: 'unknown',
  key: findingKey(subject),
  under,
})

/** The key of what is judged. */
export const keyOfJudged = (judgement: Judged): string =>
  judgement._tag === 'found' ? findingKey(judgement.cause.subject) : judgement.key
