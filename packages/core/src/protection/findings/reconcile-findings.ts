import { type Cause, findingKey, type Judged } from './finding.ts'

/** A finding that is not closed, as it is stored. Times are seconds since 1970. */
export interface StoredFinding extends Omit<Cause, 'noticed'> {
  readonly id: number
  /** When its cause was last seen; null: at the last evaluation. */
  readonly lastSeen: number | null
  /** The key of the finding that keeps its cause from being seen; null: none. */
  readonly under: string | null
}

/** What becomes of the findings. */
export interface ReconciledFindings {
  readonly opened: ReadonlyArray<Cause>
  /** Findings that stay, with other values than the stored ones. */
  readonly changed: ReadonlyArray<StoredFinding>
  readonly closed: ReadonlyArray<{ readonly id: number; readonly by: string; readonly lastSeen: number | null }>
}

/** Why a finding closes whose object is gone. */
export const objectGone = 'Its object is gone.'

/**
 * Compares the findings that are not closed with what the facts say now. A cause that is found opens a
 * finding or keeps it. A finding closes when an observation shows its cause gone, or when its object
 * is gone: then nothing judges it. Of what is unknown nothing opens or closes. `before` is the
 * time of the last evaluation.
 */
export function reconcileFindings(
  stored: ReadonlyArray<StoredFinding>,
  judgements: ReadonlyMap<string, Judged>,
  before: number | null,
): ReconciledFindings {
  const opened: Array<Cause> = []
  const changed: Array<StoredFinding> = []
  const closed: Array<ReconciledFindings['closed'][number]> = []
  const known = new Set<string>()
  for (const finding of stored) {
    const key = findingKey(finding.subject)
    known.add(key)
    const judgement = judgements.get(key)
    const lastSeen = finding.lastSeen ?? before
    if (judgement === undefined) closed.push({ id: finding.id, by: objectGone, lastSeen })
    else if (judgement._tag === 'clear') closed.push({ id: finding.id, by: judgement.by, lastSeen })
    else {
      const next =
        judgement._tag === 'found' ? kept(finding, judgement.cause) : unseen(finding, judgement.under, lastSeen)
      if (!sameFinding(finding, next)) changed.push(next)
    }
  }
  for (const [key, judgement] of judgements) {
    if (judgement._tag === 'found' && !known.has(key)) opened.push(judgement.cause)
  }
  return { opened, changed, closed }
}

const kept = (finding: StoredFinding, { noticed = false, ...cause }: Cause): StoredFinding => ({
  ...cause,
  id: finding.id,
  since: noticed ? earlier(finding.since, cause.since) : cause.since,
  lastSeen: null,
  under: null,
})

const earlier = (one: number | null, other: number | null): number | null =>
  one === null || other === null ? (one ?? other) : Math.min(one, other)

const unseen = (finding: StoredFinding, under: string | null, lastSeen: number | null): StoredFinding => ({
  ...finding,
  lastSeen,
  under,
})

const sameFinding = (one: StoredFinding, other: StoredFinding): boolean =>
  one.severity === other.severity &&
  one.since === other.since &&
  one.count === other.count &&
  one.sentence === other.sentence &&
  one.step === other.step &&
  one.lastSeen === other.lastSeen &&
  one.under === other.under &&
  one.subject.title === other.subject.title &&
  one.subject.server?.id === other.subject.server?.id &&
  one.subject.server?.name === other.subject.server?.name
