import { Effect } from 'effect'
import { gcJobFrame, jobFrame, type ListedJobType } from '../translate/job.ts'
import { observedOnly } from './datastores.ts'
import { fieldNotes } from './note.ts'
import type { Item, Listing } from './open-scope.ts'
import { readableRows } from './readable-rows.ts'
import type { ScopeFailed } from './scope-failed.ts'
import type { ServerSession } from './server-session.ts'
import { readStores } from './stores.ts'

/** The kinds of jobs a PBS has, in the order they are listed. */
export const listedJobTypes = ['verify', 'prune', 'sync', 'gc', 'tape'] as const

/** A kind of job a PBS has. */
export type JobType = ListedJobType | 'gc'

/** Lists the jobs of one kind. A gc job stands in the configuration of its store; a store that cannot be opened keeps its row. */
export const listJobs = (session: ServerSession, type: JobType): Effect.Effect<Listing, ScopeFailed> =>
  type === 'gc' ? listGcJobs(session) : listOthers(session, type)

const listOthers = ({ endpoint, pbs }: ServerSession, type: ListedJobType) =>
  Effect.map(pbs.jobs(type), (list): Listing => {
    const { rows, notes } = readableRows(`${type} job`, list)
    return [
      ...notes,
      ...rows
        .toSorted((a, b) => (a.id < b.id ? -1 : 1))
        .flatMap(
          (row): ReadonlyArray<Item> => [
            ...fieldNotes(`${type} job ${row.id}`, row),
            jobFrame(endpoint.name, type, row),
          ],
        ),
    ]
  })

const listGcJobs = (session: ServerSession) =>
  Effect.gen(function* () {
    const { endpoint, pbs } = session
    const [{ configs }, states] = yield* Effect.all(
      [readStores(session), observedOnly('state of garbage collection', pbs.gcStates)],
      { concurrency: 'unbounded' },
    )
    const listing: Listing = [
      ...configs.notes,
      ...states.notes(configs.rows.map(({ name }) => name)),
      ...configs.rows
        .toSorted((a, b) => (a.name < b.name ? -1 : 1))
        .flatMap((config): ReadonlyArray<Item> => {
          const state = states.rows.find(({ store }) => store === config.name)
          return [...fieldNotes(`gc job ${config.name}`, config), gcJobFrame(endpoint.name, config, state)]
        }),
    ]
    return listing
  })
