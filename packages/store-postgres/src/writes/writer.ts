import type { Kysely, RawBuilder } from 'kysely'
import type { Origin } from '../change-log/append-changes.ts'
import type { Database } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import type { ScopePlace } from '../scopes/scope-place.ts'

/**
 * Hears of changes to main's snapshots and servers, in the transaction that writes them. Branches
 * count their groups over main, so their counts go stale with it.
 */
export interface MainWatch {
  /** Snapshots of some groups were written. `touched` selects the columns of the groups' keys. */
  readonly groupsChanged: (db: Kysely<Tables>, touched: RawBuilder<unknown>) => Promise<void>
  /** Snapshots anywhere in a namespace were written. */
  readonly namespaceChanged: (db: Kysely<Tables>, place: ScopePlace) => Promise<void>
  /** Snapshots may have moved between some groups, whose keys the query selects. */
  readonly snapshotsMoved: (db: Kysely<Tables>, groups: RawBuilder<unknown>) => Promise<void>
  /** Servers were deleted with all their child rows. */
  readonly serversDeleted: (db: Kysely<Tables>) => Promise<void>
}

/** The author of a change to main, and the watch that it informs. */
export interface Writer {
  /** For the change log. */
  readonly origin: Origin
  readonly watch: MainWatch
}

/** Main as a port writes it. */
export interface Main {
  readonly database: Database['Type']
  readonly watch: MainWatch
}
