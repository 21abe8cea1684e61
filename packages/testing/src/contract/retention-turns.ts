import { Retention } from '@netbox-pbs/core/ports'
import { Effect, Option } from 'effect'
import { expect, test } from 'vitest'

/** Retention under test. Its turn has never been taken. */
export interface RetentionUnderTest {
  readonly run: <A, E>(effect: Effect.Effect<A, E, Retention>) => Promise<A>
}

/** The contract of `Retention` about turns. The removed records depend on the tables, and the store tests them. */
export const retentionTurnsContract = ({ run }: RetentionUnderTest): void => {
  const retention = <A, E>(use: (retention: typeof Retention.Service) => Effect.Effect<A, E>) =>
    run(Effect.flatMap(Retention, use))

  test('gives the turn to exactly one of those that come at once, and to another when it runs out', async () => {
    const now = '2026-05-01T00:00:00Z'
    const until = '2026-05-01T00:05:00Z'
    const take = (at: string, to: string) =>
      retention((r) => r.takeTurn({ now: at, until: to, latest: '2027-01-01T00:00:00Z' }))
    const taken = await retention((r) =>
      Effect.all(
        Array.from({ length: 6 }, () => r.takeTurn({ now, until, latest: '2027-01-01T00:00:00Z' })),
        { concurrency: 'unbounded' },
      ),
    )
    const turns = taken.filter(Option.isSome).map(({ value }) => value)
    expect(turns).toHaveLength(1)
    const [first = 0] = turns
    expect(await take('2026-05-01T00:04:59Z', until)).toEqual(Option.none())
    expect(await retention((r) => r.keepTurn({ turn: first, until: '2026-05-01T00:06:00Z' }))).toBe(true)
    expect(await take(until, until)).toEqual(Option.none())
    expect(await take('2026-05-01T00:06:00Z', '2026-05-01T00:07:00Z')).toEqual(Option.some(first + 1))
    expect(await retention((r) => r.keepTurn({ turn: first, until }))).toBe(false)
    await retention((r) => r.endTurn({ turn: first, due: now }))
    expect(await take('2026-05-01T00:06:30Z', until)).toEqual(Option.none())
    await retention((r) => r.endTurn({ turn: first + 1, due: '2026-05-01T01:00:00Z' }))
    expect(await take('2026-05-01T00:59:59Z', until)).toEqual(Option.none())
    expect(await take('2026-05-01T01:00:00Z', until)).toEqual(Option.some(first + 2))
  })

  test('waits neither for a turn nor for a worker of a clock that was ahead', async () => {
    const at = { now: '2026-05-01T03:00:00Z', until: '2026-05-01T03:05:00Z', latest: '2026-05-01T04:05:00Z' }
    const ahead = '2027-06-05T00:00:00Z'
    const turn = Option.getOrThrow(await retention((r) => r.takeTurn({ now: ahead, until: ahead, latest: ahead })))
    const next = Option.getOrThrow(await retention((r) => r.takeTurn(at)))
    expect(next).toBe(turn + 1)
    await retention((r) => r.endTurn({ turn: next, due: ahead }))
    expect(await retention((r) => r.takeTurn(at))).toEqual(Option.some(next + 1))
  })
}
