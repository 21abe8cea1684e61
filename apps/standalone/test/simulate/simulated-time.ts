import { AsyncLocalStorage } from 'node:async_hooks'
import type { SimulatedProcess } from './simulated-process.ts'

/** The process whose code runs now; timers belong to the process that set them, and end with it. */
export const currentProcess = new AsyncLocalStorage<SimulatedProcess>()

/** The real turn of the event loop, with which everything that waits for no timer is done. */
const realImmediate = setImmediate
export const turn = (): Promise<void> => new Promise((resolve) => void realImmediate(resolve))

interface Timer {
  at: number
  sequence: number
  readonly every: number | null
  readonly owner: SimulatedProcess | undefined
  readonly run: () => void
  waiting: boolean
}

const RealDate = Date

/**
 * The clock and the timers of this process, moved by the simulation alone. `Date`, `performance.now` and the timers
 * are replaced, so that libraries (and the embedded database, whose `now()` is `Date.now`) see the same time.
 */
export class SimulatedTime {
  #now: number
  readonly #start: number
  #sequence = 0
  #timers: Array<Timer> = []
  #immediates: Array<Timer> = []
  #restore: Array<() => void> = []

  /** @param start - Milliseconds since 1970. */
  constructor(start: number) {
    this.#now = start
    this.#start = start
  }

  get now(): number {
    return this.#now
  }

  /** When the next timer is due; null: none is set. */
  get next(): number | null {
    return this.#timers[0]?.at ?? null
  }

  /** The functions that `setImmediate` was given since the last call. */
  takeImmediates(): ReadonlyArray<() => void> {
    const taken = this.#immediates
    this.#immediates = []
    return taken.filter(({ waiting, owner }) => waiting && owner?.isAlive !== false).map((timer) => () => fire(timer))
  }

  /** Moves to the next timer and runs it; timers of a process that was killed never run. */
  fireNext(): void {
    const timer = this.#timers.shift()
    if (timer === undefined) return
    this.#now = Math.max(this.#now, timer.at)
    timer.waiting = false
    if (timer.owner?.isAlive === false) return
    if (timer.every !== null) {
      timer.at = this.#now + timer.every
      this.#insert(timer)
    }
    fire(timer)
  }

  /** The machine slept: every timer that came due runs once. */
  leap(millis: number): void {
    this.#now += millis
  }

  /** Replaces the clock of the process; the timers only when `timers` says so. */
  install(timers: boolean): void {
    const time = this
    if (timers) {
      this.#replace(globalThis, {
        setTimeout: (run: (...values: Array<unknown>) => void, millis?: number, ...values: Array<unknown>) =>
          this.#set(() => run(...values), millis, null),
        setInterval: (run: (...values: Array<unknown>) => void, millis?: number, ...values: Array<unknown>) =>
          this.#set(() => run(...values), millis, Math.max(1, millis ?? 1)),
        setImmediate: (run: (...values: Array<unknown>) => void, ...values: Array<unknown>) => {
          const timer = this.#timer(() => run(...values), this.#now, null)
          this.#immediates.push(timer)
          return this.#handle(timer, 0)
        },
        clearTimeout: clear,
        clearInterval: clear,
        clearImmediate: clear,
      })
      return
    }
    this.#replace(performance, { now: () => this.#now - this.#start })
    this.#replace(globalThis, {
      Date: class extends RealDate {
        constructor(...values: ReadonlyArray<unknown>) {
          super(...((values.length === 0 ? [time.#now] : values) as [number])) // border: Date takes what it was given
        }
        static override now(): number {
          return time.#now
        }
        static override [Symbol.hasInstance](value: unknown): boolean {
          return value instanceof RealDate
        }
      },
    })
  }

  /** Puts the real clock and timers back. */
  uninstall(): void {
    for (const restore of this.#restore.reverse()) restore()
    this.#restore = []
    this.#timers = []
  }

  #replace(holder: object, members: Readonly<Record<string, unknown>>): void {
    for (const [name, value] of Object.entries(members)) {
      const before = Object.getOwnPropertyDescriptor(holder, name)
      Object.defineProperty(holder, name, { value, configurable: true, writable: true, enumerable: false })
      this.#restore.push(() => {
        if (before === undefined) Reflect.deleteProperty(holder, name)
        else Object.defineProperty(holder, name, before)
      })
    }
  }

  #timer(run: () => void, at: number, every: number | null): Timer {
    const owner = currentProcess.getStore()
    const bound = AsyncLocalStorage.bind(run)
    return { at, sequence: this.#sequence++, every, owner, run: bound, waiting: true }
  }

  #set(run: () => void, millis: number | undefined, every: number | null): object {
    const delay = Math.max(1, Math.floor(millis ?? 1) || 1)
    const timer = this.#timer(run, this.#now + delay, every)
    this.#insert(timer)
    return this.#handle(timer, delay)
  }

  #insert(timer: Timer): void {
    timer.waiting = true
    timer.sequence = this.#sequence++
    let index = this.#timers.length
    while (index > 0 && (this.#timers[index - 1]?.at ?? 0) > timer.at) index -= 1
    this.#timers.splice(index, 0, timer)
  }

  #remove(timer: Timer): void {
    timer.waiting = false
    const index = this.#timers.indexOf(timer)
    if (index !== -1) this.#timers.splice(index, 1)
  }

  /** What Node gives for a timer. */
  #handle(timer: Timer, delay: number): object {
    const handle = {
      ref: () => handle,
      unref: () => handle,
      hasRef: () => true,
      refresh: () => {
        this.#remove(timer)
        timer.at = this.#now + delay
        this.#insert(timer)
        return handle
      },
      close: () => this.#remove(timer),
      [Symbol.toPrimitive]: () => timer.sequence,
      [Symbol.dispose]: () => this.#remove(timer),
    }
    return handle
  }
}

const clear = (handle: unknown): void => {
  if (typeof handle === 'object' && handle !== null && 'close' in handle && typeof handle.close === 'function')
    handle.close()
}

const fire = (timer: Timer): void => {
  timer.waiting = false
  timer.run()
}
