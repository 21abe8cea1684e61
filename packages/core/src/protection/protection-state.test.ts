import { FastCheck as fc } from 'effect'
import { describe, expect, test } from 'vitest'
import {
  type FinishedBackup,
  type Protection,
  type ProtectionFacts,
  protectionAt,
  protectionOf,
  standingOf,
} from './protection-state.ts'

const hour = 3600
const now = 1000 * hour

/** A backup so many hours ago. */
const backup = (hours: number, more: Partial<FinishedBackup> = {}): FinishedBackup => ({
  time: now - hours * hour,
  verification: 'none',
  verifiedAt: null,
  ...more,
})

const facts: ProtectionFacts = {
  age: 26 * hour,
  listed: true,
  backups: [backup(2), backup(26)],
  unfinishedSince: null,
  running: false,
  readAt: now,
  offSince: null,
}

describe('the protection of a group', () => {
  const young = now + 24 * hour
  const ended = now - 14 * hour
  const old = [backup(40)]
  const failed = backup(2, { verification: 'failed', verifiedAt: now - hour })
  test.each<readonly [string, Partial<ProtectionFacts>, Protection['state'], number | null, number | null]>([
    ['a young backup', {}, 'protected', null, young],
    ['a young backup, read long ago', { readAt: now - 20 * hour }, 'protected', null, young],
    ['a young backup, its datastore is off', { offSince: now - hour }, 'protected', null, young],
    ['a young backup and an unfinished one', { unfinishedSince: now - hour }, 'protected', null, young],
    ['an old backup', { backups: old }, 'late', ended, ended],
    ['an old backup and a running one', { backups: old, unfinishedSince: now, running: true }, 'late', ended, ended],
    ['an old backup, read before its objective ended', { backups: old, readAt: ended - 1 }, 'unknown', ended, ended],
    [
      'an old backup, its datastore off since before',
      { backups: old, offSince: ended - hour },
      'unknown',
      ended,
      ended,
    ],
    [
      'an old backup, its datastore off since',
      { backups: old, offSince: ended + hour },
      'unknown',
      ended + hour,
      ended,
    ],
    ['exactly as old as it may be', { backups: [backup(26)] }, 'late', now, now],
    ['its list was never read', { readAt: null, listed: false, backups: [] }, 'unknown', null, null],
    ['expected, not listed', { listed: false, backups: [] }, 'missing', null, null],
    ['not listed any more', { listed: false, backups: old }, 'missing', ended, ended],
    ['not listed, its datastore is off', { listed: false, backups: [], offSince: 5 }, 'unknown', 5, null],
    ['listed and empty', { backups: [] }, 'missing', null, null],
    ['listed and empty, its datastore is off', { backups: [], offSince: 5 }, 'unknown', 5, null],
    ['unfinished ones only', { backups: [], unfinishedSince: 7 }, 'at_risk', 7, null],
    ['the first one runs', { backups: [], unfinishedSince: 7, running: true }, 'unknown', 7, null],
    ['the newest failed', { backups: [failed, backup(26)] }, 'at_risk', now - hour, young],
    ['an older one failed', { backups: [backup(2), failed] }, 'protected', null, young],
    ['the newest failed and is old', { backups: [{ ...failed, time: now - 40 * hour }] }, 'at_risk', now - hour, ended],
    ['a backup of the future', { backups: [backup(-2), backup(40)] }, 'late', ended, ended],
    ['a backup of the future alone', { backups: [backup(-2)] }, 'missing', null, null],
    ['a clock that is a minute ahead', { backups: [backup(-1 / 60)] }, 'protected', null, now + 60 + 26 * hour],
    ['not listed any more, and still young', { listed: false }, 'missing', null, young],
    ['not watched', { age: null, backups: [] }, 'not_watched', null, null],
    ['not watched, its list was never read', { age: null, readAt: null }, 'unknown', null, null],
  ])('%s', (_, more, state, since, freshUntil) => {
    expect(protectionOf({ ...facts, ...more }, now)).toEqual({ state, since, freshUntil })
  })

  const time = fc.integer({ min: -100, max: 100 }).map((hours) => now + hours * hour)
  const anyFacts = fc.record({
    age: fc.constantFrom(null, hour, 26 * hour),
    listed: fc.boolean(),
    backups: fc
      .array(
        fc.record({
          time,
          verification: fc.constantFrom<FinishedBackup['verification'][]>('ok', 'failed', 'none'),
          verifiedAt: fc.constant(null),
        }),
        {
          maxLength: 4,
        },
      )
      .map((backups) => backups.sort((one, other) => other.time - one.time)),
    unfinishedSince: fc.option(time),
    running: fc.boolean(),
    readAt: fc.option(time),
    offSince: fc.option(time),
  })

  test('is never good without a finished backup that is young enough and did not fail', () => {
    fc.assert(
      fc.property(anyFacts, (some) => {
        const past = some.backups.filter((one) => one.time <= now + 60)
        const good = some.age !== null && past.some((one) => one.time + (some.age ?? 0) > now)
        const { state } = protectionOf(some, now)
        expect(state !== 'protected' || (good && past[0]?.verification !== 'failed' && some.listed)).toBe(true)
      }),
    )
  })

  test('is never late before its list was read after the objective ended', () => {
    fc.assert(
      fc.property(anyFacts, (some) => {
        const { state, freshUntil, since } = protectionOf(some, now)
        if (state !== 'late') return
        expect([since, (some.readAt ?? 0) >= (freshUntil ?? 0), some.offSince]).toEqual([freshUntil, true, null])
      }),
    )
  })

  test('follows from what is stored until a backup of the future has come', () => {
    fc.assert(
      fc.property(anyFacts, fc.integer({ min: 0, max: 150 }), (some, hours) => {
        const stored = standingOf(some, now)
        const later = now + hours * hour
        if (stored.judgeAgainAt !== null && stored.judgeAgainAt <= later) return
        expect(protectionAt(stored, some, later)).toEqual(protectionOf(some, later))
      }),
    )
  })

  test('does not improve when time goes on and nothing is read', () => {
    const order = ['protected', 'unknown', 'late', 'at_risk', 'missing']
    fc.assert(
      fc.property(anyFacts, fc.integer({ min: 0, max: 50 }), (some, hours) => {
        // A backup of the future becomes one of the past.
        const of = { ...some, backups: some.backups.filter((one) => one.time <= now) }
        const before = order.indexOf(protectionOf(of, now).state)
        expect(order.indexOf(protectionOf(of, now + hours * hour).state)).toBeGreaterThanOrEqual(before)
      }),
    )
  })
})
