/** A part of a case's work, prepared outside the clock. Throws when the outcome is not the expected one. */
export type Batch = () => unknown

/** One thing to measure. */
export interface Case {
  readonly title: string
  /** How many rows one round handles. */
  readonly rows: number
  /** The work of one round, a bounded part at a time: making a batch costs no time, running it does. */
  readonly batches: () => Iterable<Batch>
}

/** The cost of a case's fastest round. */
export interface Result {
  readonly bench: string
  readonly case: string
  readonly n: number
  /** Changes that the branch holds, where one is measured. */
  readonly changes?: number
  readonly seconds: number
  readonly rowsPerSecond: number
  /** The most memory that the process has held so far, the prepared batches included. */
  readonly peakRssMb: number
  /** The least possible cost for the same data: the measure of `seconds`. */
  readonly yardstick?: { readonly title: string; readonly seconds: number; readonly cpuSeconds?: number }
  /** What the line to the server alone needs, where one is simulated. */
  readonly lineSeconds?: number
  /** Processor time of the measured process in its fastest round: on a busy machine it says more than the clock. */
  readonly cpuSeconds?: number
  /** Rows written to the tables of the inventory, by the database's counters. */
  readonly rowsWritten?: number
  /** Requests that a PBS got: all of them, and the lists of groups and of snapshots among them. */
  readonly requests?: { readonly all: number; readonly groups: number; readonly snapshots: number }
  /** Clients that repeated a request at once, and how many requests of all were answered a second. */
  readonly clients?: number
  readonly requestsPerSecond?: number
  /** Milliseconds to the first byte of an answer, and all of its bytes. */
  readonly firstByteMs?: number
  readonly bytes?: number
  /** How long small reads took during the case, in milliseconds. */
  readonly waits?: { readonly p50: number; readonly p99: number; readonly max: number }
  /**
   * The requests during the round: how often each answer was given, and how long after the clients
   * had left the database stopped working for them.
   */
  readonly load?: { readonly answers: Readonly<Record<string, number>>; readonly idleAfterMs: number }
}

/**
 * Runs a case once to warm up and then `repeat` times, and keeps the fastest round: noise of the
 * machine only ever adds.
 */
export async function measure(bench: string, { title, rows, batches }: Case, repeat: number): Promise<Result> {
  await secondsOf(batches())
  let seconds = Number.POSITIVE_INFINITY
  for (let round = 0; round < repeat; round++) seconds = Math.min(seconds, await secondsOf(batches()))
  const peakRssMb = process.resourceUsage().maxRSS / 1024
  return { bench, case: title, n: rows, seconds, rowsPerSecond: rows / seconds, peakRssMb }
}

async function secondsOf(batches: Iterable<Batch>): Promise<number> {
  let milliseconds = 0
  for (const batch of batches) {
    globalThis.gc?.() // what the preparation left behind is not the batch's to clean up
    const begun = performance.now()
    await batch()
    milliseconds += performance.now() - begun
  }
  return milliseconds / 1000
}
