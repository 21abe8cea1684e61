import { describe, expect, test } from 'vitest'
import { type JobFacts, type JobHealth, type JobRun, jobHealth, mostMissed } from './job-health.ts'
import { timeZone } from './time-zone.ts'

const at = (time: string): number => Date.parse(`2026-11-${time}:00Z`) / 1000
const vienna = timeZone('Europe/Vienna')

const run = (start: string, outcome: JobRun['outcome'] = 'ok', status = ''): JobRun => ({
  start: at(start),
  end: outcome === 'running' ? null : at(start) + 600,
  outcome,
  status,
})

/** A job at 2:00 in Vienna, which is 1:00 UTC in November, whose server was just read. */
const job = (facts: Partial<JobFacts>, now: string): JobHealth =>
  jobHealth(
    {
      disabled: false,
      schedule: '2:00',
      zone: vienna,
      nextRun: null,
      runs: [run('20T01:00')],
      since: at('01T00:00'),
      readAt: at(now),
      ...facts,
    },
    at(now),
  )

const fine: JobHealth = { state: 'ok', missed: null, failing: null, lastGood: at('20T01:00'), due: at('21T01:00') }

describe('the health of a job', () => {
  test.each<readonly [string, Partial<JobFacts>, string, Partial<JobHealth>]>([
    ['ran', {}, '20T12:00', {}],
    ['ran with warnings', { runs: [run('20T01:00', 'warning')] }, '20T12:00', { state: 'warning' }],
    ['is due, and PBS still has a quarter of an hour', {}, '21T01:15', {}],
    ['was due', {}, '21T01:16', { state: 'missed', missed: { since: at('21T01:00'), count: 1 } }],
    ['was due three times', {}, '23T12:00', { state: 'missed', missed: { since: at('21T01:00'), count: 3 } }],
    ['was due, but its server was not read since', { readAt: at('20T12:00') }, '21T01:16', { state: 'unknown' }],
    ['was due, and its server was not read at all', { readAt: null }, '23T12:00', { state: 'unknown' }],
    ['is off', { disabled: true }, '23T12:00', { state: 'off' }],
    [
      'is off and failed',
      { disabled: true, runs: [run('20T01:00', 'error', 'x')] },
      '23T12:00',
      { state: 'off', failing: { since: at('20T01:00'), count: 1, error: 'x' }, lastGood: null },
    ],
    [
      'runs since long',
      { runs: [run('19T01:00', 'running'), run('18T01:00')] },
      '23T12:00',
      { state: 'running', lastGood: at('18T01:00'), due: at('20T01:00') },
    ],
    [
      'was started by a person since',
      { runs: [run('21T09:00'), run('20T01:00')] },
      '21T12:00',
      { lastGood: at('21T09:00'), due: at('22T01:00') },
    ],
    ['never ran and is not due', { runs: [], since: at('20T12:00') }, '20T18:00', { state: 'waiting', lastGood: null }],
    [
      'never ran and was due',
      { runs: [], since: at('20T12:00') },
      '21T18:00',
      { state: 'missed', missed: { since: at('21T01:00'), count: 1 }, lastGood: null },
    ],
    [
      'has had its schedule since after its last run',
      { runs: [run('10T01:00')], since: at('20T12:00') },
      '20T18:00',
      { lastGood: at('10T01:00') },
    ],
    ['has no schedule', { schedule: '' }, '23T12:00', { due: null }],
    [
      'has no schedule and never ran',
      { schedule: '', runs: [] },
      '23T12:00',
      { state: 'unknown', lastGood: null, due: null },
    ],
    [
      'failed twice',
      { runs: [run('20T01:00', 'error', 'second'), run('19T01:00', 'error', 'first'), run('18T01:00')] },
      '20T12:00',
      { state: 'failing', failing: { since: at('19T01:00'), count: 2, error: 'first' }, lastGood: at('18T01:00') },
    ],
    [
      'failed and was not started since',
      { runs: [run('20T01:00', 'error', 'x')] },
      '21T12:00',
      {
        state: 'missed',
        missed: { since: at('21T01:00'), count: 1 },
        failing: { since: at('20T01:00'), count: 1, error: 'x' },
        lastGood: null,
      },
    ],
    [
      'runs again after it failed',
      { runs: [run('20T01:00', 'running'), run('19T01:00', 'error', 'x'), run('18T01:00')] },
      '20T01:30',
      { state: 'failing', failing: { since: at('19T01:00'), count: 1, error: 'x' }, lastGood: at('18T01:00') },
    ],
    [
      'ended without a known outcome',
      { runs: [run('20T01:00', 'unknown')] },
      '20T12:00',
      { state: 'unknown', lastGood: null },
    ],
    [
      'has a zone that is not known, and PBS says when',
      { zone: null, nextRun: at('21T03:00') },
      '20T12:00',
      { due: at('21T03:00') },
    ],
    [
      'has a zone that is not known, and what PBS said is past',
      { zone: null, nextRun: at('21T03:00') },
      '22T12:00',
      { state: 'missed', missed: { since: at('21T03:00'), count: null }, due: at('21T03:00') },
    ],
    [
      'was due before its schedule was known, as PBS says',
      { nextRun: at('21T01:00'), since: at('22T12:00') },
      '22T18:00',
      { state: 'missed', missed: { since: at('21T01:00'), count: 2 } },
    ],
    ['has run since PBS said when it is due', { nextRun: at('20T01:00') }, '20T12:00', {}],
    [
      'is due when PBS says, whatever the schedule seems to mean',
      { nextRun: at('20T23:00') },
      '20T12:00',
      { due: at('20T23:00') },
    ],
    ['has a schedule that is not understood', { schedule: 'sometimes', nextRun: null }, '22T12:00', { due: null }],
    [
      'has a schedule in UTC and no zone',
      { zone: null, schedule: '2:00 UTC', runs: [run('20T02:00')] },
      '20T12:00',
      { lastGood: at('20T02:00'), due: at('21T02:00') },
    ],
  ])('%s', (_, facts, now, expected) => {
    expect(job(facts, now)).toEqual({ ...fine, ...expected })
  })

  test('counts a bounded number of missed runs', () => {
    expect(job({ schedule: '*:*' }, '25T00:00').missed).toEqual({ since: at('20T01:01'), count: mostMissed })
  })

  test('keeps the time of a schedule over the change of summer time', () => {
    const march = (time: string) => Date.parse(`2026-03-${time}:00Z`) / 1000
    const before = { start: march('28T01:00'), end: march('28T01:10'), outcome: 'ok', status: '' } as const
    const facts = { disabled: false, schedule: '2:00', zone: vienna, nextRun: null, runs: [before], since: 0 }
    // 2:00 does not exist on the 29th; on the 30th it is midnight UTC.
    expect(jobHealth({ ...facts, readAt: march('29T12:00') }, march('29T12:00'))).toEqual({
      state: 'ok',
      missed: null,
      failing: null,
      lastGood: march('28T01:00'),
      due: march('30T00:00'),
    })
  })
})
