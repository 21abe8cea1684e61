import { Effect, Stream } from 'effect'
import { taskFrame } from '../translate/task.ts'
import { unsafeIntegerNotes } from './note.ts'
import type { Item, Listing } from './open-scope.ts'
import type { ServerSession } from './server-session.ts'

/** Lists the tasks of a server that started at `since` (epoch seconds) or later; all of them without it. They come as PBS orders them and are never held together. */
export const listTasks = ({ endpoint, pbs }: ServerSession, since: number | undefined): Effect.Effect<Listing> =>
  Effect.succeed(
    Stream.mapConcat(pbs.tasks(since), (row): ReadonlyArray<Item> => {
      const frame = taskFrame(endpoint.name, row)
      const title = `task ${row.upid.slice(0, 255)}`
      return frame === null
        ? [
            {
              code: 'unknown_value',
              message: `${title} has a start that no calendar has, or too long a UPID, and is left out`,
            },
          ]
        : [...unsafeIntegerNotes(title, row), frame]
    }),
  )
