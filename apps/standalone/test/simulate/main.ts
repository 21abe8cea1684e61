import { availableParallelism } from 'node:os'
import { flagsOrExit, newCommand, wholeNumber } from '@netbox-pbs/app-shell'
import { brokenVariants } from './broken-variants.ts'
import { FinishedSeeds } from './finished-seeds.ts'
import { type HowToRun, linesOf, type Report, reportOf } from './report.ts'
import { SeedProcesses } from './seed-processes.ts'
import { Tally } from './tally.ts'

interface Flags {
  readonly seed: number
  readonly seeds?: readonly [number, number]
  readonly steps: number
  readonly jobs: number
  readonly results?: string
  readonly twice: boolean
  readonly trace: boolean
  readonly broken?: string
}

const range = (text: string): readonly [number, number] => {
  const [, from, to] = /^(\d+)\.\.(\d+)$/.exec(text) ?? []
  return [Number(from ?? 1), Number(to ?? 0)]
}

const most = 1_000_000
const command = newCommand('simulate', 'run the whole system in simulated time under faults, all of it by a seed')
  .option('--seed <number>', 'another seed, another history', wholeNumber(0, most), 1)
  .option('--seeds <from..to>', 'many seeds; a fault of one does not end the others', range)
  .option('--steps <count>', 'steps of each', wholeNumber(0, most), 100)
  .option('--jobs <count>', 'processes that run seeds at once', wholeNumber(1, 64), availableParallelism())
  .option('--results <file>', 'where finished seeds are kept; a run that is started again goes on after them')
  .option('--twice', 'run each seed twice, and compare the traces', false)
  .option('--trace', 'print every event to stderr', false)
  .option('--broken <variant>', `break a promise on purpose: ${Object.keys(brokenVariants).join(' or ')}`)

const { seed, seeds, steps, jobs, results, twice, trace, broken } = flagsOrExit<Flags>(command)
const sabotage = brokenVariants[broken ?? '']
const how: HowToRun = {
  steps,
  twice,
  ...(sabotage === undefined ? {} : { sabotage }),
  ...(trace ? { trace: (line: string) => void process.stderr.write(line) } : {}),
}

async function runAll(): Promise<void> {
  const [from, to] = seeds ?? [seed, seed]
  const tally = new Tally()
  const started = process.hrtime.bigint()
  let [ran, made, broke, fresh, cpu] = [0, 0, 0, 0, 0]
  const tell = (report: Report) => {
    ran += 1
    made += report.steps.length
    if (report.faults.length > 0) broke += 1
    tally.addAll(report.tally)
    const repeat = `npx -y pnpm@12.21.0 simulate --seed ${report.seed} --steps ${steps}`
    const lines = linesOf(report, broken === undefined ? repeat : `${repeat} --broken ${broken}`)
    process.stdout.write(`${lines.join('\n')}\n`)
  }
  const finished = new FinishedSeeds(results ?? null, steps)
  const left: Array<number> = []
  for (let one = from; one <= to; one += 1) {
    const known = finished.of(one)
    if (known === undefined) left.push(one)
    else tell(known)
  }
  const done = (report: Report) => {
    fresh += report.steps.length
    cpu += report.cpuSeconds
    finished.add(report)
    tell(report)
  }
  if (left.length === 1) for (const one of left) done(await reportOf(one, how))
  else await new SeedProcesses(process.argv.slice(2), () => left.shift(), done).run(Math.min(jobs, left.length))
  const seconds = Number(process.hrtime.bigint() - started) / 1e9
  const rate = `${seconds.toFixed(0)} s, ${(fresh / seconds).toFixed(1)} steps/s, ${(fresh / cpu || 0).toFixed(1)} to a second of a core`
  process.stdout.write(`${ran} seeds, ${made} steps, ${broke} with faults, ${rate}: ${tally}\n`)
  // Processes that were killed in the simulation wait for what never comes.
  process.exit(broke > 0 ? 1 : 0)
}

if (process.send === undefined) await runAll()
else process.on('message', async (one) => void process.send?.(await reportOf(Number(one), how)))
