import { types as pgTypes } from 'pg'
import { type Db, fromPglite } from 'pg-boss'
import type { Driver } from '../database/database.ts'

/**
 * Our database as pg-boss needs it: several statements in one text, and columns parsed by the
 * driver's defaults. It opens no connection of its own, so on PGlite its statements wait for our
 * transactions.
 */
export function bossDriver(driver: Driver): Db {
  switch (driver._tag) {
    case 'pg':
      return {
        // Not by `pool.query`: it would send the statement in the context of whoever frees the
        // connection, and so within another caller's bounds.
        executeSql: async (text, values) => {
          const client = await driver.pool.connect()
          let failed = true
          try {
            // An array of values, even an empty one, would be sent as one prepared statement only.
            const result = await client.query({
              text,
              types: pgTypes,
              ...(values !== undefined && values.length > 0 && { values: [...values] }),
            })
            failed = false
            return result
          } finally {
            // A text that begins a transaction and fails in it leaves the connection in that
            // transaction, so the connection must not be reused.
            client.release(failed)
          }
        },
      }
    case 'pglite': {
      const { pglite, parsers } = driver
      const options = { parsers }
      return fromPglite({
        query: (text, values) => pglite.query(text, values, options),
        exec: (text) => pglite.exec(text, options),
      })
    }
  }
}
