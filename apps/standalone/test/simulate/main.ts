import { flagsOrExit, newCommand, wholeNumber } from '@netbox-pbs/app-shell'
import { brokenVariants } from './broken-variants.ts'
import { nextStep } from './next-step.ts'
import { type Outcome, simulate } from './simulation.ts'
import { begin, repair } from './steps.ts'
import { Tally } from './tally.ts'

interface Flags {
  readonly seed: number
  readonly seeds?: readonly [number, number]
  readonly steps: number
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
  .option('--seeds <from..to>', 'many seeds, one after the other', range)
  .option('--steps <count>', 'steps of each', wholeNumber(0, most), 100)
  .option('--twice', 'run each seed twice, and compare the traces', false)
  .option('--trace', 'print every event to stderr', false)
  .option('--broken <variant>', `break a promise on purpose: ${Object.keys(brokenVariants).join(' or ')}`)

const { seed, seeds = [seed, seed], steps, twice, trace, broken } = flagsOrExit<Flags>(command)
const sabotage = brokenVariants[broken ?? '']
const say = (line: string) => void process.stdout.write(`${line}\n`)

const once = (one: number): Promise<Outcome> =>
  simulate({
    seed: one,
    steps,
    first: begin,
    next: nextStep,
    last: repair,
    ...(sabotage === undefined ? {} : { sabotage }),
    ...(trace ? { trace: (line: string) => void process.stderr.write(line) } : {}),
  })

const secondsSince = (start: bigint): string => (Number(process.hrtime.bigint() - start) / 1e9).toFixed(1)

const tally = new Tally()
const started = process.hrtime.bigint()
let [ran, made] = [0, 0]
for (let one = seeds[0]; one <= seeds[1] && process.exitCode === undefined; one += 1) {
  const begun = process.hrtime.bigint()
  const { steps: done, faults, traceHash, tally: counts } = await once(one)
  const again = twice ? (await once(one)).traceHash : traceHash
  tally.addAll(counts)
  ran += 1
  made += done.length
  say(`seed ${one}: ${done.length} steps in ${secondsSince(begun)} s, trace ${traceHash.slice(0, 16)}`)
  const found = again === traceHash ? faults : [...faults, `the same seed gave another trace, ${again.slice(0, 16)}`]
  if (found.length === 0) continue
  for (const [number, step] of done.entries()) say(`  ${number}. ${step}`)
  for (const fault of found.slice(0, 10)) say(`FAULT ${fault}`)
  say(
    `Repeat it: npx -y pnpm@12.21.0 simulate --seed ${one} --steps ${steps}${broken === undefined ? '' : ` --broken ${broken}`}`,
  )
  process.exitCode = 1
}
say(`${ran} seeds, ${made} steps in ${secondsSince(started)} s: ${tally}`)
// Processes that were killed in the simulation wait for what never comes.
process.exit()
