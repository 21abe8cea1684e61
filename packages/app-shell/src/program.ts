import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { Cause, Context, Effect, Exit, Fiber, Layer, Option, type Scope } from 'effect'
import type { WrongUsage } from './environment.ts'
import { initialLog, type LogFormat, logLayer, printableLines } from './log.ts'

/** An expected failure. `exitCode` is 1, or 2 for a caller's mistake, unless it says otherwise. */
interface Failure {
  readonly _tag: string
  readonly message: string
  readonly exitCode?: number
}

/** A program of one service on its database. */
export interface Program<C extends { readonly logFormat: LogFormat }, Secrets, Db, Stores> {
  /** How the log names it: `api`. */
  readonly name: string
  readonly version: string
  /** Reads flags and environment. */
  readonly config: Effect.Effect<C, WrongUsage>
  /** The layer that opens stored secrets. */
  readonly secrets: (config: C) => Layer.Layer<Secrets, Failure>
  readonly database: (config: C) => Layer.Layer<Db, Failure>
  /** Brings the database to this version and checks that the key opens its secrets. */
  readonly prepare: Effect.Effect<unknown, Failure, Secrets | Db>
  readonly stores: (config: C) => Layer.Layer<Stores, Failure, Secrets | Db>
  readonly serve: (config: C) => Effect.Effect<Started, Failure, Stores | Scope.Scope>
}

/**
 * Runs a program until its process is told to stop. Mistakes of the operator are found before
 * anything is written.
 */
export function startProgram<C extends { readonly logFormat: LogFormat }, Secrets, Db, Stores>({
  name,
  version,
  config: readConfig,
  secrets,
  database,
  prepare,
  stores,
  serve,
}: Program<C, Secrets, Db, Stores>): void {
  const program = Effect.gen(function* () {
    const config = yield* readConfig
    const start = Effect.gen(function* () {
      // First: a malformed key is found without waiting for the database.
      const box = yield* Layer.build(secrets(config))
      const needs = Context.merge(box, yield* Layer.build(database(config)))
      yield* Effect.provide(prepare, needs)
      return yield* Effect.provide(serve(config), yield* Effect.provide(Layer.build(stores(config)), needs))
    })
    return yield* runService({ name, version, logFormat: config.logFormat, start })
  })
  runProcess(program)
}

/** A service that has started. */
export interface Started {
  /** Fields of the log line, such as its address. */
  readonly facts: Readonly<Record<string, unknown>>
  /** Says on standard output that it serves. */
  readonly announce: () => unknown
}

/** A service that runs until its process is told to stop. */
export interface Service<E> {
  /** How the log names it: `api`. */
  readonly name: string
  readonly version: string
  readonly logFormat: LogFormat
  /** Starts it, in the scope that ends with it. */
  readonly start: Effect.Effect<Started, E, Scope.Scope>
}

/** Pause between checks of the package managers that started the process. */
const lookEvery = '1 second'

/**
 * Runs a service and logs when it has started, when it is told to stop, and when it has stopped.
 * The end of a package manager that started the process counts as SIGTERM: `npx` does not pass on a
 * signal that is sent to it alone, and the service would run on without a parent.
 */
export const runService = <E>({ name, version, logFormat, start }: Service<E>): Effect.Effect<never, E> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      // Before it serves: a caller that sees it serve may end the package manager at once.
      const links = starters()
      let started = false
      yield* Effect.addFinalizer(() => (started ? Effect.logInfo('stopped') : Effect.void))
      const { facts, announce } = yield* restore(start)
      started = true
      yield* Effect.annotateLogs(Effect.logInfo('started'), { version, ...facts })
      announce()
      return yield* Effect.onInterrupt(restore(endOf(links)), () => Effect.logInfo('stopping'))
    }),
  ).pipe(Effect.scoped, Effect.annotateLogs({ app: name }), Effect.provide(logLayer(logFormat)))

const endOf = (links: ReturnType<typeof starters>): Effect.Effect<never> => {
  if (links.length === 0) return Effect.never
  return Effect.zipRight(
    Effect.sleep(lookEvery),
    Effect.sync(() => allRun(links)),
  ).pipe(
    Effect.repeat({ while: (run) => run }),
    Effect.zipRight(Effect.logWarning('the package manager that started this process has ended')),
    Effect.zipRight(Effect.sync(() => process.kill(process.pid, 'SIGTERM'))),
    Effect.zipRight(Effect.never),
  )
}

/** The process ends this long after a signal even if work is left: five seconds are promised. */
const stopMillis = 4500

/** Mistakes of the caller: a wrong flag or variable, a malformed key. */
const usageTags = new Set(['WrongUsage', 'SecretKeyInvalid'])

/**
 * Runs a program as the process, until it ends or SIGTERM, SIGINT or SIGHUP closes its scope; a
 * second signal ends the process at once. An expected failure prints its message on standard error,
 * with exit code 2 for a mistake of the caller and 1 otherwise; a defect is a bug and prints its
 * trace.
 */
export function runProcess<E extends Failure>(program: Effect.Effect<unknown, E>): void {
  const fiber = Effect.runFork(Effect.provide(program, initialLog))
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.once(signal, () => {
      setTimeout(() => process.exit(0), stopMillis).unref()
      Effect.runFork(Fiber.interrupt(fiber))
    })
  }
  fiber.addObserver((exit) => {
    process.exitCode = finish(exit)
  })
}

function finish<E extends Failure>(exit: Exit.Exit<unknown, E>): number {
  if (Exit.isSuccess(exit)) return 0
  // A program that a signal cuts short says so by an exit code of its own.
  if (Cause.isInterruptedOnly(exit.cause)) return Number(process.exitCode ?? 0)
  const failure = Option.getOrNull(Cause.failureOption(exit.cause))
  process.stderr.write(`${printableLines(failure === null ? Cause.pretty(exit.cause) : failure.message)}\n`)
  if (failure === null) return 1
  return failure.exitCode ?? (usageTags.has(failure._tag) ? 2 : 1)
}

/** A process and the one that it was started by. */
interface Link {
  readonly pid: number
  readonly parent: number
}

const packageManager = /^(?:npm|npx|pnpm|yarn|corepack)(?:-cli)?(?:\.[cm]?js)?$/
const shell = /^(?:ba|da|z|k)?sh$/

/**
 * The package managers that started this process, such as `npx` with `pnpm` with a shell, nearest
 * first; empty when it was started directly, or where the system does not tell. They do not pass on
 * a signal that is sent to one of them alone, so a process that outlives them would run on
 * unnoticed.
 */
function starters(): ReadonlyArray<Link> {
  const links: Array<Link> = [{ pid: process.pid, parent: process.ppid }]
  let known = 0
  for (let pid = process.ppid; pid > 1; ) {
    const name = nameOf(pid)
    if (packageManager.test(name)) known = links.length
    else if (!shell.test(name)) break
    const parent = parentOf(pid)
    if (parent === null) break
    links.push({ pid, parent })
    pid = parent
  }
  return links.slice(0, known)
}

/** Whether each of them still runs, as the child of the one above it. */
const allRun = (links: ReadonlyArray<Link>): boolean =>
  links.every(({ pid, parent }) => (pid === process.pid ? process.ppid : parentOf(pid)) === parent)

/** The program that a process runs, by the name it gives itself. */
function nameOf(pid: number): string {
  const [first = '', second = ''] = read(`/proc/${pid}/cmdline`)?.split(/[\0 ]/) ?? []
  return basename(/^node/.test(basename(first)) ? second : first)
}

function parentOf(pid: number): number | null {
  const stat = read(`/proc/${pid}/stat`)
  // The name, in parentheses, may hold anything; the parent is the second word after it.
  return stat === null ? null : Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
