import { createHash } from 'node:crypto'
import { createRandom, type Random } from '@netbox-pbs/pbs-simulator'
import { Random as EffectRandom } from 'effect'
import { SimulatedFibers } from './simulated-fibers.ts'
import { SimulatedTime, turn } from './simulated-time.ts'

/** When a simulation begins, in milliseconds since 1970. */
export const beginning = Date.UTC(2026, 5, 1)

/** A world that stands still although something waits: a promise that is never kept. */
export class Stuck extends Error {}

/** What all parts of a simulation share: one seed, one clock, one order of events, one trace. */
export class World {
  readonly time = new SimulatedTime(beginning)
  readonly fibers: SimulatedFibers
  /** What happens next. */
  readonly plan: Random
  /** Delays and faults of the network and the database. */
  readonly chance: Random
  /** Effect's own randomness, such as of the delay before a retry; its default is made before any seed is known. */
  readonly jitter: EffectRandom.Random
  /** Calls of the database that run at this moment. */
  running = 0
  /** How many things have happened. */
  events = 0
  readonly #hash = createHash('sha256')
  readonly #print: ((line: string) => void) | null

  constructor(
    readonly seed: number,
    print: ((line: string) => void) | null = null,
  ) {
    this.plan = createRandom(seed * 4 + 1)
    this.chance = createRandom(seed * 4 + 2)
    this.fibers = new SimulatedFibers(createRandom(seed * 4 + 3))
    this.jitter = EffectRandom.make(seed)
    this.#print = print
  }

  /** Adds an event to the trace. */
  note(event: string): void {
    this.events += 1
    const line = `${this.time.now} ${event}\n`
    this.#hash.update(line)
    this.#print?.(line)
  }

  /** The digest of all that has happened so far. */
  get traceHash(): string {
    return this.#hash.copy().digest('hex')
  }

  /** A pause of so many milliseconds of the simulation. */
  readonly pause = (millis: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, millis))

  /** Everything that waits for no timer is done. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 2; ) {
      const before = this.fibers.steps + this.events
      await turn()
      const immediates = this.time.takeImmediates()
      for (const run of immediates) run()
      const isQuiet =
        immediates.length === 0 &&
        this.running === 0 &&
        this.fibers.isIdle &&
        before === this.fibers.steps + this.events
      quiet = isQuiet ? quiet + 1 : 0
    }
  }

  /** Lets time pass until something holds, at most so many milliseconds; says whether it holds. */
  async until(holds: () => boolean | Promise<boolean>, limitMillis: number): Promise<boolean> {
    const end = this.time.now + limitMillis
    for (;;) {
      await this.settle()
      if (await holds()) return true
      const { next } = this.time
      if (next === null || next > end) return false
      this.time.fireNext()
    }
  }

  /** The result of something that takes time. */
  async result<A>(work: Promise<A>, what: string, limitMillis = 30 * 60_000): Promise<A> {
    let done = false
    const ended = work.finally(() => {
      done = true
    })
    ended.catch(() => undefined)
    if (!(await this.until(() => done, limitMillis)))
      throw new Stuck(`${what} did not end within ${limitMillis / 60_000} minutes`)
    return ended
  }
}
