import type { PatternFaults } from '@netbox-pbs/core'
import type { StoreFailed } from '@netbox-pbs/core/ports'
import type { Effect } from 'effect'
import { sql } from 'kysely'
import type { Database } from '../database/database.ts'
import { isWrongPattern } from '../database/store-errors.ts'

/** The words before PostgreSQL's reason. */
const preamble = /^.*regular expression[^:]*: /i

/** What PostgreSQL says is wrong with regular expressions, by their text. Each is compiled against a blank text. */
export const patternFaults = (
  database: Database['Type'],
  patterns: ReadonlyArray<string>,
): Effect.Effect<PatternFaults, StoreFailed> =>
  database.query('reading a regular expression', async (db) => {
    const faults = new Map<string, string>()
    for (const pattern of patterns) {
      try {
        await sql`select '' ~ ${pattern}::text`.execute(db)
      } catch (cause) {
        if (!isWrongPattern(cause)) throw cause
        faults.set(pattern, cause.message.replace(preamble, ''))
      }
    }
    return faults
  })
