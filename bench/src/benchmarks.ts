import { filled, newCommand, wholeNumber } from '@netbox-pbs/app-shell'
import { type Command, Option } from 'commander'
import { Config, Effect, Option as Maybe } from 'effect'
import { branch } from './branch/branch.ts'
import { diffCases } from './diff/diff-cases.ts'
import { gateway } from './gateway/gateway-case.ts'
import { ingest } from './ingest/ingest.ts'
import { waiting } from './ingest/waiting.ts'
import { light } from './light/light.ts'
import { lists } from './list/list.ts'
import { measure, type Result } from './measure.ts'
import { searches } from './searches/searches.ts'
import { writes } from './writes/writes.ts'

/** Takes the benchmark that the command line names; reading its results runs it. */
type Choose = (results: AsyncIterable<Result>) => void

/** The command `bench` with each benchmark below it. */
export function benchCommand(choose: Choose): Command {
  const bench = newCommand('bench', 'measure; JSON lines on standard output, a table on standard error')
  const benchmarks = [
    branchBench,
    diffBench,
    gatewayBench,
    ingestBench,
    lightBench,
    listBench,
    searchesBench,
    waitingBench,
    writesBench,
  ]
  for (const benchmark of benchmarks) bench.addCommand(benchmark(choose))
  return bench
}

const branchBench = (choose: Choose): Command =>
  newCommand('branch', 'a branch: staging, reading, comparing, merging')
    .addOption(snapshotsFlag(1_000_000))
    .addOption(
      new Option('--changes <numbers>', 'sizes of branches, with commas between')
        .argParser((text) => text.split(',').map(count))
        .default([1000, 100_000], '1000,100000'),
    )
    .addOption(storeFlag())
    .action((flags: Flags<'snapshots' | 'store'> & { changes: ReadonlyArray<number> }) =>
      choose(branch({ ...flags, databaseUrl: givenDatabaseUrl() })),
    )

const diffBench = (choose: Choose): Command =>
  newCommand('diff', 'core’s diff, in memory')
    .option('--rows <number>', 'on each side', count, 1_000_000)
    .addOption(repeatFlag(3))
    .action((flags: Flags<'rows' | 'repeat'>) => choose(diffs(flags)))

async function* diffs({ rows, repeat }: Flags<'rows' | 'repeat'>): AsyncGenerator<Result> {
  for (const one of diffCases(rows)) yield await measure('diff', one, repeat)
}

const gatewayBench = (choose: Choose): Command =>
  newCommand('gateway', 'the gateway’s stream of a simulated server')
    .addOption(snapshotsFlag(100_000))
    .addOption(
      optionalFlag('--per-namespace <number>', 'snapshots of each namespace', 'a few namespaces of many sizes'),
    )
    .addOption(optionalFlag('--latency <milliseconds>', 'to the server and back', 'none'))
    .addOption(optionalFlag('--bandwidth <megabits>', 'of the line to the server, a second', 'any'))
    .addOption(repeatFlag(2))
    .addOption(profilesFlag())
    .action((flags: GatewayFlags) => choose(streams(flags)))

type GatewayFlags = Flags<'snapshots' | 'repeat' | 'profiles'> & {
  readonly [Name in 'perNamespace' | 'latency' | 'bandwidth']: number | null
}

async function* streams({ repeat: rounds, latency, bandwidth, ...flags }: GatewayFlags): AsyncGenerator<Result> {
  const line = latency === null && bandwidth === null ? null : { latencyMs: latency ?? 0, mbits: bandwidth }
  yield await gateway({ ...flags, line, rounds })
}

const ingestBench = (choose: Choose): Command =>
  newCommand('ingest', 'syncs of a recorded stream, against COPY and JSON.parse')
    .addOption(snapshotsFlag(100_000))
    .addOption(storeFlag())
    .addOption(profilesFlag())
    .action((flags: Flags<'snapshots' | 'store' | 'profiles'>) =>
      choose(ingest({ ...flags, databaseUrl: givenDatabaseUrl() })),
    )

const lightBench = (choose: Choose): Command =>
  newCommand('light', 'full and light runs from a simulated server on')
    .addOption(snapshotsFlag(100_000))
    .addOption(storeFlag())
    .action((flags: Flags<'snapshots' | 'store'>) => choose(light({ ...flags, databaseUrl: givenDatabaseUrl() })))

const listBench = (choose: Choose): Command =>
  newCommand('list', 'lists over HTTP: pages, searches, whole lists, and pages during writes')
    .addOption(snapshotsFlag(1_000_000))
    .option('--seconds <number>', 'how long each kind of request is repeated', count, 10)
    .action((flags: Flags<'snapshots' | 'seconds'>) => choose(lists({ ...flags, databaseUrl: givenDatabaseUrl() })))

const searchesBench = (choose: Choose): Command =>
  newCommand('searches', 'reads of one client while others search')
    .addOption(snapshotsFlag(1_000_000))
    .option('--seconds <number>', 'how long each case is measured', count, 20)
    .action((flags: Flags<'snapshots' | 'seconds'>) => choose(searches({ ...flags, databaseUrl: givenDatabaseUrl() })))

const waitingBench = (choose: Choose): Command =>
  newCommand('waiting', 'runs while their branch waits for approval')
    .addOption(snapshotsFlag(40_000))
    .option('--changes <number>', 'of the branch', count, 20_000)
    .addOption(storeFlag())
    .action((flags: Flags<'snapshots' | 'changes' | 'store'>) =>
      choose(waiting({ ...flags, databaseUrl: givenDatabaseUrl() })),
    )

const writesBench = (choose: Choose): Command =>
  newCommand('writes', 'objects written over REST, together and one at a time')
    .addOption(snapshotsFlag(100_000))
    .addOption(storeFlag())
    .addOption(repeatFlag(3))
    .action((flags: Flags<'snapshots' | 'store' | 'repeat'>) =>
      choose(writes({ ...flags, databaseUrl: givenDatabaseUrl() })),
    )

/** The flags that several benchmarks have, checked. */
interface AllFlags {
  readonly snapshots: number
  readonly rows: number
  readonly changes: number
  readonly seconds: number
  readonly repeat: number
  readonly store: 'pg' | 'pglite'
  readonly profiles: string | null
}

type Flags<Names extends keyof AllFlags> = Pick<AllFlags, Names>

const count = wholeNumber(1, Number.MAX_SAFE_INTEGER)

const snapshotsFlag = (usual: number): Option =>
  new Option('--snapshots <number>', 'size of the inventory').argParser(count).default(usual)

const repeatFlag = (usual: number): Option =>
  new Option('--repeat <number>', 'rounds, of which the fastest counts').argParser(count).default(usual)

const optionalFlag = (flag: string, what: string, without: string): Option =>
  new Option(flag, what).argParser(count).default(null, without)

const storeFlag = (): Option => new Option('--store <store>', 'the database').choices(['pg', 'pglite']).default('pg')

const profilesFlag = (): Option =>
  new Option('--profiles <folder>', 'write CPU profiles there').argParser(filled).default(null, 'none')

/** The operator's PostgreSQL server to measure; null: a temporary one. */
function givenDatabaseUrl(): string | null {
  const given = Effect.runSync(Config.option(Config.string('DATABASE_URL')))
  return Maybe.getOrNull(Maybe.filter(given, (url) => url !== ''))
}
