/** One of the programs of the system, as far as a crash concerns it: its code stops where it is. */
export class SimulatedProcess {
  #alive = true
  readonly #endings = new Set<() => void>()

  constructor(readonly name: string) {}

  get isAlive(): boolean {
    return this.#alive
  }

  /** Called once when the process is killed. Returns what takes it back. */
  onKill(ending: () => void): () => void {
    this.#endings.add(ending)
    return () => void this.#endings.delete(ending)
  }

  /** Ends it between two steps of its code: no finalizer runs, connections break, nothing is sent any more. */
  kill(): void {
    if (!this.#alive) return
    this.#alive = false
    for (const ending of this.#endings) ending()
  }
}

/** The promise of what a killed process waits for. */
export const never = <A>(): Promise<A> => new Promise(() => undefined)
