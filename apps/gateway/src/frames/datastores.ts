import type { ListRow } from '@netbox-pbs/pbs-client'
import { Effect } from 'effect'
import { datastoreFrame } from '../translate/datastore.ts'
import { fieldNotes, type Note } from './note.ts'
import type { Item, Listing } from './open-scope.ts'
import { additionNote, readableRows } from './readable-rows.ts'
import type { ScopeFailed } from './scope-failed.ts'
import type { ServerSession } from './server-session.ts'
import { readStores } from './stores.ts'

/** Lists the datastores of a server: every visible one, with what configuration, usage and garbage collection say of it. */
export const listDatastores = (session: ServerSession): Effect.Effect<Listing, ScopeFailed> =>
  Effect.gen(function* () {
    const { endpoint, pbs } = session
    const [{ listed, configs }, usages, gc] = yield* Effect.all(
      [
        readStores(session),
        observedOnly('usage', pbs.datastoreUsages),
        observedOnly('state of garbage collection', pbs.gcStates),
      ],
      { concurrency: 'unbounded' },
    )
    const rows = listed.rows
      .toSorted((a, b) => (a.store < b.store ? -1 : 1))
      .map((row) => ({
        listed: row,
        configured: configs.rows.find(({ name }) => name === row.store),
        usage: usages.rows.find(({ store }) => store === row.store),
        gc: gc.rows.find(({ store }) => store === row.store),
      }))
    const names = rows.map((row) => row.listed.store)
    return [
      ...listed.notes,
      ...configs.unreadable.map((row) => additionNote('configuration of datastore', row)),
      ...usages.notes(names),
      ...gc.notes(names),
      ...rows.flatMap((parts): ReadonlyArray<Item> => {
        const { listed: row, configured, usage } = parts
        const name = row.store
        const hidden = {
          code: 'facts_hidden',
          message: `path of datastore ${name} is hidden: grant Datastore.Audit on /datastore/${name} to both the token and its user`,
        }
        return [
          ...fieldNotes(`datastore ${name}`, row),
          ...(configured === undefined ? [] : fieldNotes(`configuration of datastore ${name}`, configured)),
          ...(usage === undefined ? [] : fieldNotes(`datastore ${name}`, usage)),
          ...(configured === undefined && configs.unreadable.length === 0 ? [hidden] : []),
          datastoreFrame({ server: endpoint.name, ...parts }),
        ]
      }),
    ]
  })

/**
 * A list that gives observations only. However it fails, that is no reason to say nothing of the facts: PBS fails it whole
 * for one store with trouble (a statfs, a state file), or hangs with that store's disk.
 */
export const observedOnly = <A>(
  what: string,
  read: Effect.Effect<ReadonlyArray<ListRow<A>>, ScopeFailed>,
): Effect.Effect<{
  readonly rows: ReadonlyArray<A>
  readonly notes: (stores: ReadonlyArray<string>) => ReadonlyArray<Note>
}> =>
  Effect.match(read, {
    onSuccess: (list) => {
      const { rows, unreadable } = readableRows(what, list)
      return { rows, notes: () => unreadable.map((row) => additionNote(what, row)) }
    },
    onFailure: ({ message }) => ({
      rows: [],
      notes: (stores) => [
        { code: 'state_unavailable', message: `${what} of ${someOf(stores)} is unknown: ${message}` },
      ],
    }),
  })

const mostNamed = 5

const someOf = (stores: ReadonlyArray<string>): string => {
  const named = stores.slice(0, mostNamed).join(', ')
  return stores.length > mostNamed ? `${named} and ${stores.length - mostNamed} more` : named
}
