import { Data, Effect } from 'effect'
import { Database } from '../database/database.ts'
import { judgeGuests } from '../guests/judge-guests.ts'
import type { BrokenRow, Check, Piece, Repair, Unit } from './check.ts'
import { checksNamed } from './checks.ts'
import { brokenRows, toldDifferences } from './compare.ts'
import { limitPiece, type PieceLimits, pieceLimits, withinLimits } from './piece-limits.ts'
import { eachPiece, orElse, readPiece, type Unread } from './verify.ts'

/** Rows of a unit that still differ after they were written. Nothing of the unit was stored. */
class StillDifferent extends Data.TaggedError('StillDifferent')<{ readonly rows: number }> {
  override get message(): string {
    return `${this.rows} rows still differ after the repair, so nothing of it was stored: report this with the log`
  }
}

/** The result of the repair of one check. */
export interface RepairResult {
  readonly name: string
  readonly table: string
  /** Rows that were written. */
  readonly repaired: number
  /** The names of the first of them. */
  readonly rows: ReadonlyArray<string>
  /** Rows that nothing can repair, and what to do; null: there are none. */
  readonly left: { readonly rows: number; readonly advice: string } | null
  /** Pieces that were not repaired. */
  readonly failed: number
  /** The first of them. */
  readonly failures: ReadonlyArray<Unread>
}

/** What is repaired, and who hears of the result of each check as soon as it is done. */
export interface RepairOptions {
  /** Names of checks; left out: all. */
  readonly only?: ReadonlyArray<string>
  readonly onResult?: (result: RepairResult) => Effect.Effect<void>
  readonly limits?: PieceLimits
}

/**
 * Computes stored values again from the rows that they follow from, while others write. All
 * differences of one scope are repaired in one transaction, under the locks that their writers take,
 * or none of them.
 */
export const repairStored = Effect.fn('repairStored')(function* ({
  only,
  onResult = () => Effect.void,
  limits = pieceLimits,
}: RepairOptions = {}): Effect.fn.Return<ReadonlyArray<RepairResult>, never, Database> {
  const results: Array<RepairResult> = []
  for (const check of checksNamed(only)) {
    const result = yield* repairOne(check, limits)
    yield* onResult(result)
    results.push(result)
  }
  // Repairs of groups note their guests, as every writer does.
  yield* judgeGuests(yield* Database)
  return results
})

const repairOne = (check: Check, limits: PieceLimits): Effect.Effect<RepairResult, never, Database> =>
  Effect.gen(function* () {
    const { name, table, repair } = check
    const repaired: Array<string> = []
    const failures: Array<Unread> = []
    const count = { repaired: 0, failed: 0, left: 0 }
    const fail = (piece: string) =>
      orElse((reason) => {
        count.failed++
        if (failures.length < toldDifferences) failures.push({ piece, reason })
      })
    yield* eachPiece(check, (piece) =>
      Effect.gen(function* () {
        const { different, units } = yield* readPiece(check, piece, limits)
        if (different === 0) return
        if (typeof repair === 'string') {
          count.left += different
          return
        }
        for (const unit of units) {
          yield* Effect.map(repairUnit({ check, piece, repair, unit, limits }), (rows) => {
            count.repaired += rows.length
            repaired.push(...rows.slice(0, toldDifferences - repaired.length).map(({ title }) => title))
          }).pipe(fail(piece.title))
        }
      }).pipe(fail(piece.title)),
    ).pipe(fail('all further pieces'))
    const left = typeof repair === 'string' && count.left > 0 ? { rows: count.left, advice: repair } : null
    return { name, table, repaired: count.repaired, rows: repaired, left, failed: count.failed, failures }
  })

interface BrokenUnit {
  readonly check: Check
  readonly piece: Piece
  readonly repair: Repair
  readonly unit: Unit
  readonly limits: PieceLimits
}

/** Repairs the rows of a unit that differ under its locks: a writer may have written them since. */
const repairUnit = ({ check, piece, repair, unit, limits }: BrokenUnit) =>
  Effect.gen(function* () {
    const database = yield* Database
    const rows = yield* database
      .transaction(`repairing ${check.name}`, async (trx) => {
        await limitPiece(trx, limits)
        await repair.lock(trx, unit)
        const broken = await brokenRows(trx, piece, unit)
        if (broken.length === 0) return broken
        await repair.write(trx, unit, broken)
        const left = await brokenRows(trx, piece, unit)
        return left.length > 0 ? new StillDifferent({ rows: left.length }) : broken
      })
      .pipe(withinLimits(`repairing ${check.name}`, limits))
    if (rows.length > 0) yield* logged(check, unit, rows)
    return rows
  })

const logged = ({ name }: Check, unit: Unit, rows: ReadonlyArray<BrokenRow>): Effect.Effect<void> =>
  Effect.logInfo('stored values were computed again').pipe(
    Effect.annotateLogs({
      check: name,
      scope: JSON.stringify(unit),
      rows: rows.length,
      first: rows
        .slice(0, toldDifferences)
        .map(({ title }) => title)
        .join(', '),
    }),
  )
