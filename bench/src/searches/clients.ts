import type { ApiProcess } from '../api-process.ts'
import { summary, type Waits } from '../ingest/waits.ts'

/** The answers to requests, and their number: a status, or `left` where the client gave up. */
export type Answers = Readonly<Record<string, number>>

/** Clients that repeat a request until they leave all at once. */
export interface Crowd {
  readonly answers: Answers
  /** Ends the requests that are open, as a client does that closes its connection. */
  readonly leave: () => Promise<void>
}

/**
 * Clients that ask for one path again and again. `patience`: milliseconds after which a client
 * gives a request up and asks again; null: it waits for every answer.
 */
export function startCrowd(
  { url, token }: ApiProcess,
  { clients, path, patience }: { readonly clients: number; readonly path: string; readonly patience: number | null },
): Crowd {
  const answers: Record<string, number> = {}
  const leaving = new AbortController()
  const headers = { Authorization: `Token ${token}` }
  const repeat = async (): Promise<void> => {
    while (!leaving.signal.aborted) {
      const signals = patience === null ? [leaving.signal] : [leaving.signal, AbortSignal.timeout(patience)]
      const got = await answered(fetch(`${url}${path}`, { headers, signal: AbortSignal.any(signals) }))
      if (!leaving.signal.aborted) answers[got] = (answers[got] ?? 0) + 1
    }
  }
  const all = Promise.all(Array.from({ length: clients }, repeat))
  return {
    answers,
    leave: async () => {
      leaving.abort()
      await all
    },
  }
}

async function answered(request: Promise<Response>): Promise<string> {
  try {
    const response = await request
    await response.arrayBuffer()
    return String(response.status)
  } catch (error) {
    if (error instanceof Error && /^(Abort|Timeout)Error$/.test(error.name)) return 'left'
    throw error
  }
}

/**
 * Asks for some paths by turns, one request after the other, and gives how long each took. Any
 * answer but a 200 ends the benchmark.
 */
export async function waitsOf(
  { url, token }: ApiProcess,
  paths: ReadonlyArray<string>,
  seconds: number,
): Promise<ReadonlyArray<Waits>> {
  const taken = paths.map((): Array<number> => [])
  const end = performance.now() + seconds * 1000
  do {
    for (const [nth, path] of paths.entries()) {
      const begun = performance.now()
      const response = await fetch(`${url}${path}`, { headers: { Authorization: `Token ${token}` } })
      const text = await response.text()
      if (response.status !== 200) throw new Error(`${path} was answered ${response.status}: ${text}`)
      taken[nth]?.push(performance.now() - begun)
    }
  } while (performance.now() < end)
  return taken.map(summary)
}
