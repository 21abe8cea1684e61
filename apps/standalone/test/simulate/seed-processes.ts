import { type ChildProcess, fork } from 'node:child_process'
import type { Report } from './report.ts'

/** Seeds after which a process ends: what it killed in a simulation stays in its memory. */
const seedsOfProcess = 10

/**
 * Runs seeds in processes of their own, each of which takes the next seed when it is done with one. A process that
 * ends in the middle of a seed is a fault of that seed.
 */
export class SeedProcesses {
  readonly #args: ReadonlyArray<string>
  readonly #onReport: (report: Report) => void
  readonly #next: () => number | undefined

  /** @param args - The arguments of the program, which say how each seed is run. */
  constructor(args: ReadonlyArray<string>, next: () => number | undefined, onReport: (report: Report) => void) {
    this.#args = args
    this.#next = next
    this.#onReport = onReport
  }

  /** Runs all seeds, so many at once. */
  async run(atOnce: number): Promise<void> {
    await Promise.all(Array.from({ length: atOnce }, () => this.#lane()))
  }

  async #lane(): Promise<void> {
    for (let seed = this.#next(); seed !== undefined; ) {
      const child = fork(process.argv[1] ?? '', this.#args, {
        execArgv: process.execArgv,
      })
      for (let done = 0; done < seedsOfProcess && seed !== undefined && child.connected; done += 1) {
        this.#onReport(await answerOf(child, seed))
        seed = this.#next()
      }
      child.kill()
    }
  }
}

/** What a process says of a seed. */
const answerOf = (child: ChildProcess, seed: number): Promise<Report> =>
  new Promise((resolve) => {
    const onExit = (code: number | null, signal: string | null) => {
      child.off('message', onMessage)
      const fault = `the process of the simulation ended with ${signal ?? code}`
      resolve({ seed, steps: [], faults: [fault], trace: '', cpuSeconds: 0, tally: {} })
    }
    const onMessage = (report: unknown) => {
      child.off('exit', onExit)
      resolve(report as Report) // border: a process of this program sent it
    }
    child.once('message', onMessage).once('exit', onExit)
    child.send(seed)
  })
