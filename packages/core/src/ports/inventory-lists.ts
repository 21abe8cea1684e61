import { Context, type Effect, type Option, type Stream } from 'effect'
import type { ListQuery } from '../query/list-query.ts'
import type { PatternFaults } from '../query/parse-list-query.ts'
import type { JsonValue, ModelName } from '../registry/field.ts'
import type { Values } from '../registry/registry.ts'
import type { StoreFailed } from './store-failed.ts'

/**
 * A row as it is served: its columns, and those that every model has. References are ids;
 * `serverName` saves a look-up.
 */
export type ServedRow<M extends ModelName = ModelName> = Values<M> & {
  readonly id: number
  /** Name of the row's server; its own for a server. */
  readonly serverName: string
  /** Ids of tags, also of some that were deleted since. */
  readonly tags: ReadonlyArray<JsonValue>
  /** Values by the keys of custom fields, also of some that the model no longer has. */
  readonly custom_fields: { readonly [key: string]: JsonValue }
  /** RFC 3339. */
  readonly created: string
  readonly last_updated: string
}

/** A page of rows. `count` is null in cursor mode. */
export interface ServedPage<M extends ModelName> {
  readonly count: number | null
  readonly rows: ReadonlyArray<ServedRow<M>>
}

/** A row of which some columns were read. */
export type RowInPart<M extends ModelName = ModelName> = Partial<ServedRow<M>>

/** A list from its first row to its last. */
export interface WholeList<M extends ModelName = ModelName> extends Omit<ListQuery<M>, 'page'> {
  /** The columns that are read of each row, besides its id; left out: all. */
  readonly columns?: ReadonlySet<string>
  /** Rows that one statement reads at most; left out: as many as are fast. */
  readonly rowsAtOnce?: number
}

/** Lists and details of main, as REST and pages show them. */
export class InventoryLists extends Context.Tag('@netbox-pbs/core/InventoryLists')<
  InventoryLists,
  {
    readonly list: <M extends ModelName>(query: ListQuery<M>) => Effect.Effect<ServedPage<M>, StoreFailed>
    /**
     * All rows of a list in its order, part by part, each read by statements of its own: no connection
     * is held and no transaction is open while the reader works. A row that is not written while the
     * list is read comes exactly once. `make` is given each part, perhaps while the next one is read, and
     * the stream has what it makes: rows that went on as they are would burden the garbage collector.
     */
    readonly stream: <M extends ModelName, A, E, R>(
      query: WholeList<M>,
      make: (rows: ReadonlyArray<RowInPart<M>>) => Effect.Effect<A, E, R>,
    ) => Stream.Stream<A, E | StoreFailed, R>
    /**
     * Names what has been committed so far, of everything in the database. Two equal revisions, also of
     * two processes: nothing was committed in between, and reads between them saw the same.
     */
    readonly revision: Effect.Effect<string, StoreFailed>
    readonly get: <M extends ModelName>(request: {
      readonly model: M
      readonly id: number
    }) => Effect.Effect<Option.Option<ServedRow<M>>, StoreFailed>
    /** Ids of servers by name; names without a server are left out. */
    readonly serverIds: (request: {
      readonly names: ReadonlyArray<string>
    }) => Effect.Effect<ReadonlyMap<string, number>, StoreFailed>
    /** Of these ids those that exist. */
    readonly existing: (request: {
      readonly model: ModelName
      readonly ids: ReadonlyArray<number>
    }) => Effect.Effect<ReadonlySet<number>, StoreFailed>
    /** What is wrong with regular expressions, by their text; those that are right are left out. */
    readonly patternFaults: (request: {
      readonly patterns: ReadonlyArray<string>
    }) => Effect.Effect<PatternFaults, StoreFailed>
  }
>() {}
