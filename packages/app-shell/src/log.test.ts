import { Cause, Clock, Data, Effect, Logger } from 'effect'
import { expect, test } from 'vitest'
import { logFields, logLine } from './log.ts'

class Unreachable extends Data.TaggedError('Unreachable')<{ readonly message: string }> {}

/** The fields of the one event that an effect logs, and the line in each format. */
const logged = (event: Effect.Effect<void>) => {
  const lines: Array<ReturnType<typeof logFields>> = []
  const logger = Logger.replace(
    Logger.defaultLogger,
    Logger.make((options) => void lines.push(logFields(options))),
  )
  Effect.runSync(Effect.provide(event, logger))
  const [fields = new Map()] = lines
  return { fields: Object.fromEntries([...fields].filter(([key]) => key !== 'time')), all: fields, count: lines.length }
}

test.each<[string, Effect.Effect<void>, Record<string, unknown>]>([
  ['a message alone', Effect.logInfo('started'), { level: 'info', msg: 'started' }],
  [
    'annotations keep numbers and truth values',
    Effect.annotateLogs(Effect.logWarning('run ended'), { run: 12, whole: false, status: 'incomplete' }),
    { level: 'warn', msg: 'run ended', run: 12, whole: false, status: 'incomplete' },
  ],
  [
    'an expected failure is told by its message',
    Effect.logWarning('a job is tried again', new Unreachable({ message: 'pbs-a is down' })),
    { level: 'warn', msg: 'a job is tried again', cause: 'pbs-a is down' },
  ],
  [
    'an expected cause is told by its message',
    Effect.logError('a request failed', Cause.fail(new Unreachable({ message: 'pbs-a is down' }))),
    { level: 'error', msg: 'a request failed', cause: 'pbs-a is down' },
  ],
  [
    'no key comes twice',
    Effect.annotateLogs(Effect.logWarning('first', 'second'), { msg: 'third', cause: 'fourth', level: 'fifth' }),
    { level: 'warn', msg: 'first', msg_: 'third', cause: 'fourth', cause_: 'second', level_: 'fifth' },
  ],
])('%s', (_, event, expected) => {
  expect(logged(event)).toMatchObject({ fields: expected, count: 1 })
})

test('a bug keeps its trace, and is one line anyway', () => {
  const { all } = logged(Effect.logError('internal error in the worker', new Error('boom')))
  expect(all.get('cause')).toMatch(/^Error: boom\n\s+at .*log\.test\.ts/)
  for (const format of ['text', 'json', 'terminal'] as const) expect(logLine(all, format)).not.toContain('\n')
})

const event = new Map<string, unknown>([
  ['time', '2026-05-01T02:00:00.250Z'],
  ['level', 'warn'],
  ['msg', 'run ended'],
  ['run', 12],
  ['cause', 'said "no"=1'],
])

test.each([
  ['text', String.raw`time=2026-05-01T02:00:00.250Z level=warn msg="run ended" run=12 cause="said \"no\"=1"`],
  [
    'json',
    String.raw`{"time":"2026-05-01T02:00:00.250Z","level":"warn","msg":"run ended","run":12,"cause":"said \"no\"=1"}`,
  ],
  ['terminal', String.raw`02:00:00 warn  run ended run=12 cause="said \"no\"=1"`],
] as const)('an event as %s', (format, line) => {
  expect(logLine(event, format)).toBe(line)
})

test.each(['text', 'json', 'terminal'] as const)('no control character of a message leaves %s', (format) => {
  const hostile = '4.2\u001b]0;pwned\u0007\u001b[2J\r\nlevel=info\u0085\u2028\u202e\ud800\u009b2J'
  const line = logLine(
    new Map<string, unknown>([
      ['time', ''],
      ['level', 'info'],
      ['msg', hostile],
      ['version', hostile],
    ]),
    format,
  )
  expect(line).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u202a-\u202e]/u)
  expect(line).toContain('pwned')
  if (format === 'json') expect(JSON.parse(line)).toMatchObject({ level: 'info' })
})

test.each([
  [1_777_600_800_000, '2026-05-01T02:00:00Z'],
  [1_777_600_800_250, '2026-05-01T02:00:00.250Z'],
])('the time of an event has a fraction only when it is not zero: %i', (millis, time) => {
  const clock = { ...Clock.make(), unsafeCurrentTimeMillis: () => millis }
  expect(logged(Effect.withClock(Effect.logInfo('started'), clock)).all.get('time')).toBe(time)
})
