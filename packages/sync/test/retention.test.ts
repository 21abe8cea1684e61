import { Effect, Logger, LogLevel, Option, TestClock, TestContext } from 'effect'
import { describe, expect, test } from 'vitest'
import { removeOld } from '../src/index.ts'
import { MemorySystem } from './memory/system.ts'

const day = 86_400_000
/** Records so many days old, on day 1000. */
const aged = (...ages: ReadonlyArray<number>) => ages.map((age) => (1000 - age) * day)

const onDay1000 = <A>(system: MemorySystem, use: Effect.Effect<A, unknown, Effect.Effect.Context<typeof removeOld>>) =>
  Effect.runPromise(
    Effect.zipRight(TestClock.setTime(1000 * day), use).pipe(
      Effect.provide(system.layer),
      Effect.provide(TestContext.TestContext),
      Logger.withMinimumLogLevel(LogLevel.None),
      Effect.orDie,
    ),
  )

describe('what is too old', () => {
  test('is removed part by part, each kind by its own setting', async () => {
    const system = new MemorySystem()
    system.set({
      changelog_retention_days: 30,
      run_retention_days: 7,
      task_retention_days: 3,
      delivery_retention_days: 2,
    })
    system.retention.records.changes = aged(31, 40, 50, 29)
    system.retention.records.runs = aged(8, 6)
    system.retention.records.costs = aged(8, 6)
    system.retention.records.tasks = aged(4, 2)
    system.retention.records.deliveries = aged(3, 1)
    system.retention.records.detached = aged(31, 29)
    system.retention.records.findings = aged(31, 29)
    await onDay1000(system, removeOld)
    expect(system.retention.records).toEqual({
      changes: aged(29),
      runs: aged(6),
      costs: aged(6),
      tasks: aged(2),
      deliveries: aged(1),
      detached: aged(29),
      findings: aged(29),
    })
    expect(system.retention.parts).toEqual([
      'changes 2',
      'changes 1',
      'runs 1',
      'costs 1',
      'tasks 1',
      'deliveries 1',
      'detached 1',
      'findings 1',
    ])
  })

  test('is never removed with 0 days', async () => {
    const system = new MemorySystem()
    system.set({
      changelog_retention_days: 0,
      run_retention_days: 0,
      task_retention_days: 0,
      delivery_retention_days: 0,
    })
    system.retention.records.changes = aged(999)
    await onDay1000(system, removeOld)
    expect(system.retention.parts).toEqual([])
    expect(system.retention.records.changes).toEqual(aged(999))
  })

  test('is removed once an hour, and with it staged rows are cleared and statistics refreshed', async () => {
    const system = new MemorySystem()
    await onDay1000(
      system,
      Effect.gen(function* () {
        yield* removeOld
        yield* TestClock.adjust('59 minutes')
        yield* removeOld
        expect([system.retention.turn, system.retention.cleared, system.retention.refreshed]).toEqual([1, 1, 1])
        yield* TestClock.adjust('1 minutes')
        yield* removeOld
        expect([system.retention.turn, system.retention.cleared, system.retention.refreshed]).toEqual([2, 2, 2])
      }),
    )
  })

  test('is removed by one worker at a time: a second one does nothing', async () => {
    const system = new MemorySystem()
    system.retention.records.changes = aged(200, 201, 202)
    let others = 0
    system.retention.onPart = Effect.gen(function* () {
      system.retention.onPart = Effect.void
      yield* Effect.orDie(Effect.provide(removeOld, system.layer))
      others = system.retention.parts.length
    })
    await onDay1000(system, removeOld)
    expect([others, system.retention.turn]).toEqual([0, 1])
    expect(system.retention.parts).toEqual([
      'changes 2',
      'changes 1',
      'runs 0',
      'costs 0',
      'tasks 0',
      'deliveries 0',
      'detached 0',
      'findings 0',
    ])
  })

  test('is left by one that lost its turn, and gone on with by another five minutes after a crash', async () => {
    const system = new MemorySystem()
    system.retention.records.changes = aged(200, 201, 202, 203, 204)
    system.retention.onPart = Effect.sync(() => {
      system.retention.turn += 1
    })
    await onDay1000(
      system,
      Effect.gen(function* () {
        yield* removeOld
        expect(system.retention.parts).toEqual(['changes 2'])
        system.retention.onPart = Effect.void
        yield* TestClock.adjust('4 minutes')
        yield* removeOld
        expect(system.retention.parts).toEqual(['changes 2'])
        yield* TestClock.adjust('1 minutes')
        yield* removeOld
        expect(system.retention.records.changes).toEqual([])
      }),
    )
    expect(Option.fromNullable(system.retention.heldUntil)).toEqual(Option.none())
  })
})
