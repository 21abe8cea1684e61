import { resolve } from 'node:path'
import type { WrongUsage } from '@netbox-pbs/app-shell'
import type { CheckResult, RepairResult } from '@netbox-pbs/store-postgres'
import { Effect, type Scope } from 'effect'
import { needYes } from '../confirm.ts'
import { readRunFile } from '../data-folder/run-file.ts'
import { asExpected, CannotRun, NotChecked, type Task, ValuesDiffer } from '../failures.ts'
import { complain, progress, say, table } from '../terminal.ts'
import { ownValues } from '../verification/own-values.ts'
import type { StoredValues } from '../verification/stored-values.ts'
import { remoteValues } from '../verification/verification-service.ts'

interface Options {
  readonly dataDir: string
  /** Prints the results as one JSON document. */
  readonly json: boolean
}

/** Compares the stored values of a system, and prints the differences. */
export const verifyCommand = ({ dataDir, json }: Options): Task =>
  Effect.gen(function* () {
    const results = yield* (yield* valuesOf(dataDir)).verify(told('verified'))
    progress('')
    if (json) say(JSON.stringify({ checks: results }, null, 2))
    else reportChecks(results)
    yield* judge(results)
  }).pipe(Effect.scoped, cannotCheck)

/** Computes stored values again that differ, after a question. */
export const repairCommand = ({ dataDir, json, yes }: Options & { readonly yes: boolean }): Task =>
  Effect.gen(function* () {
    const values = yield* valuesOf(dataDir)
    const found = yield* values.verify(told('verified'))
    progress('')
    const repairable = found.filter(({ different, advice }) => different > 0 && advice === null)
    if (repairable.length === 0) {
      if (json) say(JSON.stringify({ repairs: [] }, null, 2))
      else reportChecks(found)
      return yield* judge(found)
    }
    const rows = sum(repairable.map(({ different }) => different))
    yield* needYes(yes, `Compute ${counted(rows, 'row')} of ${namesOf(repairable)} again?`)
    const results = yield* values.repair(
      found.filter(({ different }) => different > 0).map(({ name }) => name),
      told('repaired'),
    )
    progress('')
    if (json) say(JSON.stringify({ repairs: results }, null, 2))
    else reportRepairs(results)
    const failed = sum(results.map((result) => result.failed))
    if (failed > 0)
      return yield* new NotChecked({
        message: `${counted(failed, 'piece')} could not be repaired: run the command again`,
      })
    const left = sum(results.map((result) => result.left?.rows ?? 0))
    if (left > 0)
      return yield* new ValuesDiffer({ message: `${counted(left, 'row')} cannot be repaired: see what to do above` })
  }).pipe(Effect.scoped, cannotCheck)

/** The values of the system that runs on a folder, else of its database. */
const valuesOf = (dataDir: string): Effect.Effect<StoredValues, WrongUsage | CannotRun, Scope.Scope> =>
  Effect.gen(function* () {
    const run = readRunFile(resolve(dataDir))
    if (run?.verification !== undefined) return remoteValues(run.verification)
    if (run !== null)
      return yield* new CannotRun({
        message: `the system on ${dataDir} is older than this command: stop it, or start it again with this release`,
      })
    progress('opening the database')
    return yield* ownValues(dataDir)
  }).pipe(asExpected)

/** Nothing was checked: neither a clean result nor a difference. */
const cannotCheck = <A, E, R>(
  effect: Effect.Effect<A, E | CannotRun, R>,
): Effect.Effect<A, Exclude<E, CannotRun> | NotChecked, R> =>
  Effect.catchAll(effect, (error) =>
    Effect.fail(
      error instanceof CannotRun
        ? new NotChecked({ message: error.message, cause: error.cause })
        : (error as Exclude<E, CannotRun>),
    ),
  )

const told = (verb: string) => (result: { readonly name: string }) =>
  Effect.sync(() => progress(`${verb} ${result.name}`))

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((all, one) => all + one, 0)

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

const namesOf = (results: ReadonlyArray<{ readonly name: string }>): string =>
  results.map(({ name }) => name).join(', ')

/** Differences come first: they are known. */
const judge = (results: ReadonlyArray<CheckResult>): Effect.Effect<void, ValuesDiffer | NotChecked> => {
  const broken = results.filter(({ different }) => different > 0)
  const mendable = broken.some(({ advice }) => advice === null)
  if (broken.length > 0)
    return new ValuesDiffer({
      message: `${counted(sum(broken.map(({ different }) => different)), 'row')} of ${namesOf(broken)} ${mendable ? 'differ: "netbox-pbs repair" computes them again' : 'differ: see what to do above'}`,
    })
  const unknown = results.filter((result) => result.unknown > 0)
  if (unknown.length > 0)
    return new NotChecked({ message: `${namesOf(unknown)} could not be read completely: run the command again` })
  return Effect.void
}

function reportChecks(results: ReadonlyArray<CheckResult>): void {
  const known = (result: CheckResult) =>
    result.unknown > 0 ? `${result.different}, not all known` : `${result.different}`
  say(
    table([['CHECK', 'ROWS', 'DIFFERENT'], ...results.map((result) => [result.name, `${result.rows}`, known(result)])]),
  )
  for (const { name, rule, different, differences, advice, unread } of results) {
    if (different > 0) say(`\n${name}: ${rule}`)
    for (const { title, id, field, stored, recount } of differences)
      say(`  ${title} (id ${id}), ${field}: stored ${JSON.stringify(stored)}, by its rows ${JSON.stringify(recount)}`)
    if (different > 0 && advice !== null) say(`  ${advice}`)
    for (const { piece, reason } of unread) complain(`${name}, ${piece}: ${reason}`)
  }
}

function reportRepairs(results: ReadonlyArray<RepairResult>): void {
  for (const { name, repaired, rows, left, failures } of results) {
    if (repaired > 0)
      say(
        `${name}: ${counted(repaired, 'row')} computed again: ${rows.join(', ')}${repaired > rows.length ? ', …' : ''}`,
      )
    if (left !== null) say(`${name}: ${counted(left.rows, 'row')} left. ${left.advice}`)
    for (const { piece, reason } of failures) complain(`${name}, ${piece}: ${reason}`)
  }
}
