import { ownTiming } from '@netbox-pbs/core'
import { type DueRun, Runs, type ScheduleMark, Schedules } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option, Stream } from 'effect'
import type { World } from './world.ts'

/** The marks of the fake schedule, by server id; null is the settings'. */
export type Marks = Map<number | null, ScheduleMark & { readonly dropped: number }>

/** `Schedules` in memory. */
export const schedulesLayer = (world: World, marks: Marks) => {
  const isGone = (serverId: number | null) => serverId !== null && !world.rows.server.has(serverId)
  const markOf = (serverId: number | null): ScheduleMark | null => {
    const kept = marks.get(serverId)
    return kept === undefined ? null : { timing: kept.timing, countedFrom: kept.countedFrom }
  }
  const isFirst = ({ serverId, mark }: DueRun) => {
    const kept = isGone(serverId) ? undefined : marks.get(serverId)
    return kept?.timing === mark.timing && kept.countedFrom === mark.countedFrom ? kept : null
  }
  return Layer.effect(
    Schedules,
    Effect.map(Runs, (runs) =>
      Schedules.of({
        settingsMark: () => Effect.sync(() => Option.fromNullable(markOf(null))),
        servers: () =>
          Stream.suspend(() =>
            Stream.fromIterable(
              world
                .all('server')
                .filter(({ id, timing }) => ownTiming(timing) !== null || marks.has(id))
                .map(({ id, facts, timing }) => ({
                  ...timing,
                  id,
                  name: String(facts['name']),
                  connected: facts['endpoint_state'] === 'connected',
                  mark: markOf(id),
                })),
            ),
          ),
        watch: ({ serverId, timing, countedFrom }) =>
          Effect.sync(() => {
            const kept = marks.get(serverId)
            const ahead = kept !== undefined && Date.parse(kept.countedFrom) > Date.parse(countedFrom) + 5 * 60_000
            if (kept?.timing !== timing || ahead) marks.set(serverId, { timing, countedFrom, dropped: 0 })
          }),
        start: (due, run) =>
          Effect.suspend(() => {
            const kept = isFirst(due)
            if (kept === null) return Effect.succeedNone
            marks.set(due.serverId, { ...kept, countedFrom: due.countedFrom, dropped: 0 })
            return Effect.map(runs.create(run), (made) => Option.some({ run: made, dropped: kept.dropped }))
          }),
        drop: (due) =>
          Effect.sync(() => {
            const kept = isFirst(due)
            if (kept === null) return Option.none()
            const dropped = kept.dropped + 1
            marks.set(due.serverId, { ...kept, countedFrom: due.countedFrom, dropped })
            return Option.some(dropped)
          }),
      }),
    ),
  )
}
