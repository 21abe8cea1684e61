import { parseArgs } from 'node:util'
import { Config, Effect, Option } from 'effect'
import { branch } from './branch/branch.ts'
import { diffCases } from './diff/diff-cases.ts'
import { gateway } from './gateway/gateway-case.ts'
import { ingest } from './ingest/ingest.ts'
import { waiting } from './ingest/waiting.ts'
import { light } from './light/light.ts'
import { measure, type Result } from './measure.ts'
import { searches } from './searches/searches.ts'

/** One benchmark: its options, and how it runs. A wrong flag throws before anything is measured. */
interface Benchmark {
  readonly usage: string
  readonly run: (args: ReadonlyArray<string>) => AsyncIterable<Result>
}

/** Every benchmark by the name that the command takes. */
export const benchmarks: Readonly<Record<string, Benchmark>> = {
  branch: { usage: '[--snapshots 1000000] [--changes 1000,100000] [--store pg|pglite]', run: runBranch },
  diff: { usage: '[--rows 1000000] [--repeat 3]', run: runDiff },
  gateway: { usage: '[--snapshots 100000] [--repeat 2] [--profiles FOLDER]', run: runGateway },
  ingest: { usage: '[--snapshots 100000] [--store pg|pglite] [--profiles FOLDER]', run: runIngest },
  light: { usage: '[--snapshots 100000] [--store pg|pglite]', run: runLight },
  searches: { usage: '[--snapshots 1000000] [--seconds 20]', run: runSearches },
  waiting: { usage: '[--snapshots 40000] [--changes 20000] [--store pg|pglite]', run: runWaiting },
}

/** The benchmark was called with unknown flags or values. */
export class WrongUsage extends Error {}

async function* runBranch(args: ReadonlyArray<string>): AsyncGenerator<Result> {
  const { snapshots, changes, store } = flags(args, { snapshots: '1000000', changes: '1000,100000', store: 'pg' })
  yield* branch({
    snapshots: positive('snapshots', snapshots),
    changes: changes.split(',').map((size) => positive('changes', size)),
    store: storeOf(store),
    databaseUrl: givenDatabaseUrl(),
  })
}

async function* runDiff(args: ReadonlyArray<string>): AsyncGenerator<Result> {
  const { rows, repeat } = flags(args, { rows: '1000000', repeat: '3' })
  const rounds = positive('repeat', repeat)
  for (const one of diffCases(positive('rows', rows))) yield await measure('diff', one, rounds)
}

async function* runGateway(args: ReadonlyArray<string>): AsyncGenerator<Result> {
  const { snapshots, repeat, profiles } = flags(args, { snapshots: '100000', repeat: '2', profiles: '' })
  yield await gateway({
    snapshots: positive('snapshots', snapshots),
    rounds: positive('repeat', repeat),
    profiles: profiles === '' ? null : profiles,
  })
}

async function* runIngest(args: ReadonlyArray<string>): AsyncGenerator<Result> {
  const { snapshots, store, profiles } = flags(args, { snapshots: '100000', store: 'pg', profiles: '' })
  yield* ingest({
    snapshots: positive('snapshots', snapshots),
    store: storeOf(store),
    databaseUrl: givenDatabaseUrl(),
    profiles: profiles === '' ? null : profiles,
  })
}

async function* runLight(args: ReadonlyArray<string>): AsyncGenerator<Result> {
  const { snapshots, store } = flags(args, { snapshots: '100000', store: 'pg' })
  yield* light({
    snapshots: positive('snapshots', snapshots),
    store: storeOf(store),
    databaseUrl: givenDatabaseUrl(),
  })
}

async function* runSearches(args: ReadonlyArray<string>): AsyncGenerator<Result> {
  const { snapshots, seconds } = flags(args, { snapshots: '1000000', seconds: '20' })
  yield* searches({
    snapshots: positive('snapshots', snapshots),
    seconds: positive('seconds', seconds),
    databaseUrl: givenDatabaseUrl(),
  })
}

async function* runWaiting(args: ReadonlyArray<string>): AsyncGenerator<Result> {
  const { snapshots, changes, store } = flags(args, { snapshots: '40000', changes: '20000', store: 'pg' })
  yield* waiting({
    snapshots: positive('snapshots', snapshots),
    changes: positive('changes', changes),
    store: storeOf(store),
    databaseUrl: givenDatabaseUrl(),
  })
}

function storeOf(text: string): 'pg' | 'pglite' {
  if (text !== 'pg' && text !== 'pglite') throw new WrongUsage('--store is pg or pglite')
  return text
}

function flags<F extends Readonly<Record<string, string>>>(args: ReadonlyArray<string>, defaults: F): F {
  const options = Object.fromEntries(Object.keys(defaults).map((name) => [name, { type: 'string' as const }]))
  try {
    const { values } = parseArgs({ args: [...args], options })
    return { ...defaults, ...values }
  } catch (cause) {
    throw new WrongUsage(cause instanceof Error ? cause.message : String(cause))
  }
}

function positive(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) throw new WrongUsage(`--${name} ${text} is not a number from 1 on`)
  return value
}

/** The operator's PostgreSQL server to measure; null: a temporary one. */
function givenDatabaseUrl(): string | null {
  const given = Effect.runSync(Config.option(Config.string('DATABASE_URL')))
  return Option.getOrNull(Option.filter(given, (url) => url !== ''))
}
