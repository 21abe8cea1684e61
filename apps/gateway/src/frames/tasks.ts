import { isReadable } from '@netbox-pbs/pbs-client'
import { Effect, Stream } from 'effect'
import { taskFrame } from '../translate/task.ts'
import { fieldNotes, leftOut } from './note.ts'
import type { Item, Listing } from './open-scope.ts'
import { unreadableNote } from './readable-rows.ts'
import type { ServerSession } from './server-session.ts'

/** Lists the tasks of a server that started at `since` (epoch seconds) or later; all of them without it. They come as PBS orders them and are never held together. */
export const listTasks = ({ endpoint, pbs }: ServerSession, since: number | undefined): Effect.Effect<Listing> =>
  Effect.succeed(
    Stream.mapConcat(pbs.tasks(since), (row): ReadonlyArray<Item> => {
      if (!isReadable(row)) return [unreadableNote('task', row)]
      const frame = taskFrame(endpoint.name, row)
      const title = `task ${row.upid.slice(0, 255)}`
      return frame === null
        ? [leftOut(title, 'its start is none that a calendar has, or its UPID is too long')]
        : [...fieldNotes(title, row), frame]
    }),
  )
