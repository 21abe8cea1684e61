import { FastCheck as fc } from 'effect'
import { describe, expect, test } from 'vitest'
import { type Cause, type FindingSubject, findingKey, type Judged } from './finding.ts'
import { objectGone, reconcileFindings, type StoredFinding } from './reconcile-findings.ts'

const subject: FindingSubject = {
  ...{
    kind: 'job_missed',
    model: 'job',
    objectId: 3,
    title: 'verify job v on pbs-a',
    server: { id: 1, name: 'pbs-a' },
  },
}
const cause: Cause = { subject, severity: 'warning', since: 600, count: 1, sentence: 'It was due', step: 'Start it' }
const stored: StoredFinding = { ...cause, id: 7, lastSeen: null, under: null }
const key = findingKey(subject)
const before = 1000

const outcome = (findings: ReadonlyArray<StoredFinding>, judged: Judged | null) =>
  reconcileFindings(findings, new Map(judged === null ? [] : [[key, judged]]), before)
const nothing = { opened: [], changed: [], closed: [] }

describe('a cause that is found', () => {
  const found = (more: Partial<Cause> = {}): Judged => ({ _tag: 'found', cause: { ...cause, ...more } })
  test('opens a finding', () => expect(outcome([], found())).toEqual({ ...nothing, opened: [cause] }))
  test('keeps it, and changes nothing', () => expect(outcome([stored], found())).toEqual(nothing))
  test.each<Partial<Cause>>([
    { severity: 'critical' },
    { since: 650 },
    { count: 2 },
    { sentence: 'It was due, 2 times in a row' },
    { step: 'Look' },
    { subject: { ...subject, title: 'verify job w on pbs-a' } },
    { subject: { ...subject, server: { id: 1, name: 'pbs-b' } } },
  ])('tells of it as it is now: %j', (more) => {
    expect(outcome([stored], found(more))).toEqual({ ...nothing, changed: [{ ...stored, ...more }] })
  })
  test('keeps its first time where it is only noticed', () => {
    expect(outcome([stored], found({ since: 900, noticed: true }))).toEqual(nothing)
    expect(outcome([stored], found({ since: 500, noticed: true })).changed).toEqual([{ ...stored, since: 500 }])
  })
  test('is seen again after it was not', () => {
    expect(outcome([{ ...stored, lastSeen: 800, under: 'x/1' }], found()).changed).toEqual([stored])
  })
})

describe('what is unknown', () => {
  const unknown = (under: string | null): Judged => ({ _tag: 'unknown', key, under })
  test('opens nothing', () => expect(outcome([], unknown('server_unreachable/1'))).toEqual(nothing))
  test('keeps a finding as it was, under the reason', () => {
    const folded = { ...stored, lastSeen: before, under: 'server_unreachable/1' }
    expect(outcome([stored], unknown('server_unreachable/1')).changed).toEqual([folded])
    expect(outcome([folded], unknown('server_unreachable/1'))).toEqual(nothing)
    expect(outcome([folded], unknown(null)).changed).toEqual([{ ...folded, under: null }])
  })
})

describe('a finding closes', () => {
  test('by the observation that shows it clear', () => {
    const closed = [{ id: 7, by: 'It ran.', lastSeen: before }]
    expect(outcome([stored], { _tag: 'clear', key, by: 'It ran.' })).toEqual({ ...nothing, closed })
  })
  test('when its object is gone', () => {
    const closed = [{ id: 7, by: objectGone, lastSeen: 800 }]
    expect(outcome([{ ...stored, lastSeen: 800 }], null)).toEqual({ ...nothing, closed })
  })
})

describe('of any facts', () => {
  const judgement = fc.constantFrom('found', 'clear', 'unknown', 'gone')
  const facts = fc.array(fc.record({ stored: fc.boolean(), judgement }), { maxLength: 12 })
  const build = (all: ReadonlyArray<{ readonly stored: boolean; readonly judgement: string }>) => {
    const subjects = all.map((one, nth) => ({ ...one, subject: { ...subject, objectId: nth } }))
    const judgements = new Map<string, Judged>(
      subjects.flatMap(({ judgement: tag, subject: of }): ReadonlyArray<readonly [string, Judged]> => {
        const one = findingKey(of)
        if (tag === 'found') return [[one, { _tag: 'found', cause: { ...cause, subject: of } }]]
        if (tag === 'clear') return [[one, { _tag: 'clear', key: one, by: 'seen' }]]
        return tag === 'unknown' ? [[one, { _tag: 'unknown', key: one, under: null }]] : []
      }),
    )
    const findings = subjects.flatMap((one, nth) => (one.stored ? [{ ...stored, id: nth, subject: one.subject }] : []))
    return { subjects, judgements, findings }
  }

  test('exactly the causes that are found have a finding, and those that are unknown keep theirs', () => {
    fc.assert(
      fc.property(facts, (all) => {
        const { subjects, judgements, findings } = build(all)
        const { opened, closed } = reconcileFindings(findings, judgements, before)
        const gone = new Set(closed.map(({ id }) => id))
        const left = new Set([
          ...opened.map((one) => findingKey(one.subject)),
          ...findings.filter(({ id }) => !gone.has(id)).map((one) => findingKey(one.subject)),
        ])
        const expected = subjects.filter(
          (one) => one.judgement === 'found' || (one.judgement === 'unknown' && one.stored),
        )
        expect(left).toEqual(new Set(expected.map((one) => findingKey(one.subject))))
      }),
    )
  })

  test('a second look at the same facts changes nothing', () => {
    fc.assert(
      fc.property(facts, (all) => {
        const { judgements, findings } = build(all)
        const { opened, changed, closed } = reconcileFindings(findings, judgements, before)
        const now = new Map<number, StoredFinding>(findings.map((finding) => [finding.id, finding]))
        for (const finding of changed) now.set(finding.id, finding)
        for (const { id } of closed) now.delete(id)
        const next = [
          ...now.values(),
          ...opened.map((one, nth) => ({ ...one, id: 100 + nth, lastSeen: null, under: null })),
        ]
        expect(reconcileFindings(next, judgements, before + 60)).toEqual(nothing)
      }),
    )
  })
})
