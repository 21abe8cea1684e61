import { AsyncLocalStorage } from 'node:async_hooks'
import type { Random } from '@netbox-pbs/pbs-simulator'
import type { Fiber, Scheduler } from 'effect'
import type { SimulatedProcess } from './simulated-process.ts'
import { currentProcess } from './simulated-time.ts'

interface Ready {
  readonly process: SimulatedProcess
  readonly run: () => void
}

/** The fibers of all processes that can go on: which one does, the seed says. */
export class SimulatedFibers {
  readonly #random: Random
  /** A fiber goes on in its own process, whichever one woke it. */
  readonly #outside = AsyncLocalStorage.snapshot()
  #ready: Array<Ready> = []
  #isDue = false
  /** How many steps have been made. */
  steps = 0

  constructor(random: Random) {
    this.#random = random
  }

  get isIdle(): boolean {
    return this.#ready.length === 0
  }

  /** A scheduler for the fibers of a process; those of a killed one never go on. */
  schedulerOf(process: SimulatedProcess): Scheduler.Scheduler {
    return {
      shouldYield: (fiber: Fiber.RuntimeFiber<unknown, unknown>) => (fiber.currentOpCount > 1024 ? 0 : false),
      scheduleTask: (task) => {
        if (!process.isAlive) return
        this.#ready.push({ process, run: task })
        this.#wake()
      },
    }
  }

  #wake(): void {
    if (this.#isDue) return
    this.#isDue = true
    void Promise.resolve().then(() => this.#step())
  }

  #step(): void {
    this.#isDue = false
    const index = this.#ready.length === 1 ? 0 : this.#random.upTo(this.#ready.length)
    const [chosen] = this.#ready.splice(index, 1)
    if (this.#ready.length > 0) this.#wake()
    this.steps += 1
    if (chosen?.process.isAlive === true) this.#outside(() => currentProcess.run(chosen.process, chosen.run))
  }
}
