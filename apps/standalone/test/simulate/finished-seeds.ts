import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import type { Report } from './report.ts'

interface Line extends Report {
  /** The steps that were asked for. */
  readonly of: number
}

/** The file in which a long run keeps the seeds that it has done, one to a line, so that the next run goes on. */
export class FinishedSeeds {
  readonly #path: string | null
  readonly #steps: number
  readonly #done = new Map<number, Report>()

  /** @param steps - The steps of each seed; reports of other lengths do not count. */
  constructor(path: string | null, steps: number) {
    this.#path = path
    this.#steps = steps
    if (path === null || !existsSync(path)) return
    for (const text of readFileSync(path, 'utf8').split('\n')) {
      // The last line of a run that was killed may be half written.
      if (!text.endsWith('}')) continue
      const { of, ...report } = JSON.parse(text) as Line // border: this class wrote it
      if (of === steps) this.#done.set(report.seed, report)
    }
  }

  of(seed: number): Report | undefined {
    return this.#done.get(seed)
  }

  add(report: Report): void {
    this.#done.set(report.seed, report)
    const line: Line = { of: this.#steps, ...report }
    if (this.#path !== null) appendFileSync(this.#path, `${JSON.stringify(line)}\n`)
  }
}
