import { type Database, verifyStored } from '@netbox-pbs/store-postgres'
import { Effect, Layer } from 'effect'

/** What `netbox-pbs verify` finds in a database: values that do not follow from its rows, and rows that it cannot read. */
export const storedFaults = (database: Layer.Layer<Database, unknown>): Promise<ReadonlyArray<string>> =>
  verifyStored().pipe(
    Effect.map((results) =>
      results.flatMap(({ name, different, differences, unknown, unread }) => [
        ...(different > 0 ? [`${name}: ${different} differ, such as ${JSON.stringify(differences.slice(0, 3))}`] : []),
        ...(unknown > 0 ? [`${name}: ${unknown} unread, such as ${JSON.stringify(unread.slice(0, 3))}`] : []),
      ]),
    ),
    Effect.provide(Layer.orDie(database)),
    Effect.runPromise,
  )
