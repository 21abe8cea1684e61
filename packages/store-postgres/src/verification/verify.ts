import type { StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { sql } from 'kysely'
import { Database } from '../database/database.ts'
import type { Check, Piece } from './check.ts'
import { checksNamed } from './checks.ts'
import { type Compared, comparePiece, type Difference, toldDifferences } from './compare.ts'
import { limitPiece, type PieceLimits, type PieceStopped, pieceLimits, withinLimits } from './piece-limits.ts'

/** A piece that could not be read, and why. */
export interface Unread {
  readonly piece: string
  readonly reason: string
}

/** The result of one check. */
export interface CheckResult {
  readonly name: string
  readonly table: string
  readonly rule: string
  /** Rows that were compared. */
  readonly rows: number
  /** Rows with a stored value that is not the one that follows from other rows. */
  readonly different: number
  /** The first of their fields. */
  readonly differences: ReadonlyArray<Difference>
  /** Pieces that could not be read: of their rows nothing is known. */
  readonly unknown: number
  /** The first of these pieces. */
  readonly unread: ReadonlyArray<Unread>
  /** What to do about differences that no repair can mend; null: a repair mends them. */
  readonly advice: string | null
}

/** Which checks are made, and who hears of each as soon as it is done. */
export interface VerifyOptions {
  /** Names of checks; left out: all. */
  readonly only?: ReadonlyArray<string>
  readonly onResult?: (result: CheckResult) => Effect.Effect<void>
  readonly limits?: PieceLimits
}

/**
 * Compares stored values with the rows that they follow from, piece by piece, while others write.
 * Each piece is read in one transaction that sees one state of the database and locks nothing.
 */
export const verifyStored = Effect.fn('verifyStored')(function* ({
  only,
  onResult = () => Effect.void,
  limits = pieceLimits,
}: VerifyOptions = {}): Effect.fn.Return<ReadonlyArray<CheckResult>, never, Database> {
  const results: Array<CheckResult> = []
  for (const check of checksNamed(only)) {
    const result = yield* verifyOne(check, limits)
    yield* onResult(result)
    results.push(result)
  }
  return results
})

const verifyOne = (check: Check, limits: PieceLimits): Effect.Effect<CheckResult, never, Database> =>
  Effect.gen(function* () {
    const tally = new Tally(check)
    yield* eachPiece(check, (piece) =>
      Effect.map(readPiece(check, piece, limits), (compared) => tally.add(compared)).pipe(
        orElse((reason) => tally.unread(piece.title, reason)),
      ),
    ).pipe(orElse((reason) => tally.unread('all further pieces', reason)))
    return tally.result
  })

/**
 * Notes why work failed and goes on. That is a bug as well: a damaged table is an error of the
 * database that no other code expects.
 */
export const orElse =
  (note: (reason: string) => void) =>
  <R>(work: Effect.Effect<void, { readonly message: string }, R>): Effect.Effect<void, never, R> =>
    work.pipe(
      Effect.catchAll(({ message }) => Effect.sync(() => note(message))),
      Effect.catchAllDefect((defect) =>
        Effect.sync(() => note(defect instanceof Error ? defect.message : String(defect))),
      ),
    )

/** Calls a function with each piece of a check. Other work of this process runs between them. */
export const eachPiece = <E>(
  { name, pieces }: Check,
  use: (piece: Piece) => Effect.Effect<void, E, Database>,
): Effect.Effect<void, E | StoreFailed, Database> =>
  Effect.gen(function* () {
    const database = yield* Database
    for (let after: unknown = null, more = true; more; ) {
      const page = yield* database.query(`listing what ${name} compares`, (db) => pieces(db, database.engine, after))
      for (const piece of page.pieces) {
        yield* use(piece)
        yield* Effect.yieldNow()
        yield* Effect.promise(() => new Promise<void>((resume) => setImmediate(resume)))
      }
      after = page.next
      more = after !== null
    }
  })

/** Compares a piece in a transaction of its own. */
export const readPiece = (
  { name }: Check,
  piece: Piece,
  limits: PieceLimits,
): Effect.Effect<Compared, StoreFailed | PieceStopped, Database> =>
  Effect.flatMap(Database, (database) =>
    database
      .transaction(`comparing ${name}`, async (trx) => {
        // Before the first query, or PostgreSQL refuses it.
        await sql`set transaction isolation level repeatable read, read only`.execute(trx)
        await limitPiece(trx, limits)
        return await comparePiece(trx, piece)
      })
      .pipe(withinLimits(`comparing ${name}`, limits)),
  )

/** The sum of the pieces of a check. */
class Tally {
  readonly #check: Check
  #rows = 0
  #different = 0
  #unknown = 0
  readonly #differences: Array<Difference> = []
  readonly #unread: Array<Unread> = []

  constructor(check: Check) {
    this.#check = check
  }

  add({ rows, different, first }: Compared): void {
    this.#rows += rows
    this.#different += different
    this.#differences.push(...first.slice(0, toldDifferences - this.#differences.length))
  }

  unread(piece: string, reason: string): void {
    this.#unknown++
    if (this.#unread.length < toldDifferences) this.#unread.push({ piece, reason })
  }

  get result(): CheckResult {
    const { name, table, rule, repair } = this.#check
    return {
      name,
      table,
      rule,
      rows: this.#rows,
      different: this.#different,
      differences: this.#differences,
      unknown: this.#unknown,
      unread: this.#unread,
      advice: typeof repair === 'string' ? repair : null,
    }
  }
}
