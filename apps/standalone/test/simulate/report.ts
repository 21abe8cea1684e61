import { nextStep } from './next-step.ts'
import { type SimulationOptions, simulate } from './simulation.ts'
import { begin, repair } from './steps.ts'

/** What is told of a seed. */
export interface Report {
  readonly seed: number
  /** The steps that were made, in words. */
  readonly steps: ReadonlyArray<string>
  readonly faults: ReadonlyArray<string>
  readonly trace: string
  /** Time of the processor, in seconds. */
  readonly cpuSeconds: number
  readonly tally: Readonly<Record<string, number>>
}

/** How each seed is run. */
export interface HowToRun extends Pick<SimulationOptions, 'sabotage' | 'trace'> {
  readonly steps: number
  readonly twice: boolean
}

const secondsOf = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1e6

/** Runs a seed, and compares the traces of two runs of it. */
export async function reportOf(seed: number, { twice, ...how }: HowToRun): Promise<Report> {
  const once = () => simulate({ ...how, seed, first: begin, next: nextStep, last: repair })
  const begun = process.cpuUsage()
  const { steps, faults, traceHash, tally } = await once()
  const again = twice ? (await once()).traceHash : traceHash
  const other = again === traceHash ? [] : [`the same seed gave another trace, ${again.slice(0, 16)}`]
  return {
    seed,
    steps,
    faults: [...faults, ...other],
    trace: traceHash.slice(0, 16),
    cpuSeconds: secondsOf(process.cpuUsage(begun)),
    tally: tally.counts,
  }
}

/** A report in lines. */
export const linesOf = ({ seed, steps, faults, trace, cpuSeconds }: Report, repeat: string): ReadonlyArray<string> => [
  `seed ${seed}: ${steps.length} steps in ${cpuSeconds.toFixed(1)} s, trace ${trace}`,
  ...(faults.length === 0
    ? []
    : [
        ...steps.map((step, number) => `  ${number}. ${step}`),
        ...faults.slice(0, 10).map((fault) => `FAULT ${fault}`),
        `Repeat it: ${repeat}`,
      ]),
]
