import { Effect, HashMap, Logger, LogLevel, TestClock, TestContext } from 'effect'
import { expect, test } from 'vitest'
import { cancelRun, startRun } from '../src/index.ts'
import { type FleetServer, failedFrame } from './memory/fleet.ts'
import { MemorySystem, run, synced } from './memory/system.ts'

type Event = Readonly<Record<string, unknown>>

/** Logs of an effect: level, message and annotations of each event. */
const logged = async (effect: Effect.Effect<unknown>): Promise<ReadonlyArray<Event>> => {
  const events: Array<Event> = []
  const logger = Logger.make(({ logLevel, message, annotations }) => {
    const [msg] = Array.isArray(message) ? message : [message]
    events.push({ level: logLevel.label, msg, ...Object.fromEntries(HashMap.entries(annotations)) })
  })
  await run(
    effect.pipe(
      Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
      Logger.withMinimumLogLevel(LogLevel.Info),
      Effect.provide(TestContext.TestContext),
      Effect.asVoid,
    ),
  )
  return events
}

const sixty = Array.from({ length: 60 }, (_, hour) => hour)
const pbs = (groups: Readonly<Record<string, ReadonlyArray<number>>>): FleetServer => ({
  name: 'pbs-a',
  endpointId: 1,
  datastores: { tank: { namespaces: { '': groups } } },
})
const whole = pbs({ 'vm/1': sixty, 'vm/2': sixty })

test('a run is one line, with what it did', async () => {
  const system = new MemorySystem()
  system.fleet = [whole]
  const events = await logged(
    Effect.annotateLogs(Effect.zipRight(system.sync(), system.sync(undefined, null, 'light')), {
      server: 'of the last job',
    }),
  )
  expect(events.filter(({ msg }) => msg === 'run ended')).toEqual([
    {
      level: 'INFO',
      msg: 'run ended',
      run: 1,
      status: 'completed',
      trigger: 'manual',
      user: 'admin',
      seconds: 0,
      ...system.record(1).run.counts,
    },
    expect.objectContaining({ run: 2, status: 'completed', mode: 'light', created: 0 }),
  ])
})

test('deletions that wait are logged once, when they begin to', async () => {
  const system = await synced(whole)
  system.fleet = [pbs({ 'vm/2': sixty })]
  const held = (events: ReadonlyArray<Event>) => events.filter(({ msg }) => msg === 'deletions are held')
  expect(held(await logged(system.syncTwice()))).toEqual([
    {
      level: 'WARN',
      msg: 'deletions are held',
      scope: 'snapshots of pbs-a/tank',
      rows: 60,
      reason: 'too_many',
      cause: expect.any(String),
    },
  ])
  const again = await logged(system.sync())
  expect(held(again)).toEqual([])
  expect(again).toContainEqual(
    expect.objectContaining({ level: 'WARN', msg: 'run ended', status: 'incomplete', held_back: 60 }),
  )
})

test("a change of a server's status is logged once, with the reason, and so is its end", async () => {
  const system = new MemorySystem()
  system.fleet = [whole]
  const changes = (events: ReadonlyArray<Event>) => events.filter(({ msg }) => msg === 'server status changed')
  const hour = Effect.zipRight(TestClock.adjust('1 hour'), system.sync())
  expect(changes(await logged(hour))).toEqual([
    { level: 'INFO', msg: 'server status changed', server: 'pbs-a', status: 'reachable', was: 'unknown' },
  ])
  system.fleet = [{ ...whole, failure: { code: 'unreachable', message: 'no route' } }]
  system.listing = { failure: (scope) => ('server' in scope ? [failedFrame(scope, 'unreachable')] : null) }
  expect(changes(await logged(Effect.zipRight(hour, hour)))).toEqual([
    {
      level: 'WARN',
      msg: 'server status changed',
      server: 'pbs-a',
      status: 'unreachable',
      was: 'reachable',
      error: 'unreachable',
      cause: expect.any(String),
    },
  ])
  system.fleet = [whole]
  system.listing = {}
  expect(changes(await logged(hour))).toEqual([
    expect.objectContaining({ level: 'INFO', status: 'reachable', was: 'unreachable' }),
  ])
})

test('a run that is cancelled before it began is logged as well, and only once', async () => {
  const system = await synced(whole)
  const cancel = Effect.gen(function* () {
    const { id } = yield* startRun({ resources: ['jobs'], servers: null, trigger: 'manual', user: 'admin' })
    yield* cancelRun({ id })
    yield* cancelRun({ id })
  }).pipe(Effect.provide(system.layer), Effect.orDie)
  expect(await logged(cancel)).toEqual([expect.objectContaining({ msg: 'run ended', status: 'cancelled' })])
})
