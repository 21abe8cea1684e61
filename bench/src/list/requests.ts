import { Agent, get, type IncomingMessage } from 'node:http'
import type { ApiProcess } from '../api-process.ts'
import { summary, type Waits } from '../ingest/waits.ts'

/** Requests of some clients, each with one connection that it keeps. */
export interface Clients {
  /** The body of an answer. Any status but 200 is an error, with its body. */
  readonly read: (path: string) => Promise<string>
  /** Reads an answer without keeping it: its bytes, its lines, and the seconds to its first byte and its end. */
  readonly drain: (path: string) => Promise<Drained>
  readonly close: () => void
}

/** What a client saw of an answer. */
export interface Drained {
  readonly bytes: number
  readonly lines: number
  readonly firstByteSeconds: number
  readonly seconds: number
}

/** Clients of an API. */
export function clientsOf({ url, token }: ApiProcess, many: number): Clients {
  const agent = new Agent({ keepAlive: true, maxSockets: many })
  const ask = (path: string) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      get(`${url}${path}`, { agent, headers: { Authorization: `Token ${token}` } }, resolve).on('error', reject)
    })
  const textOf = async (response: IncomingMessage): Promise<string> => {
    const pieces: Array<Buffer> = []
    for await (const piece of response) pieces.push(piece as Buffer) // border: no encoding was set
    return Buffer.concat(pieces).toString()
  }
  const answered = async (path: string): Promise<IncomingMessage> => {
    const response = await ask(path)
    if (response.statusCode === 200) return response
    throw new Error(`${path} was answered ${response.statusCode}: ${await textOf(response)}`)
  }
  return {
    read: async (path) => await textOf(await answered(path)),
    drain: async (path) => {
      const begun = performance.now()
      const response = await answered(path)
      let firstByteSeconds = 0
      let bytes = 0
      let lines = 0
      for await (const piece of response as AsyncIterable<Buffer>) {
        if (bytes === 0) firstByteSeconds = (performance.now() - begun) / 1000
        bytes += piece.length
        for (let at = piece.indexOf(10); at !== -1; at = piece.indexOf(10, at + 1)) lines += 1
      }
      return { bytes, lines, firstByteSeconds, seconds: (performance.now() - begun) / 1000 }
    },
    close: () => agent.destroy(),
  }
}

/** How long requests took, in milliseconds, and how many were answered a second. */
export interface Load extends Waits {
  readonly requestsPerSecond: number
}

/**
 * Some clients that repeat requests, each its next one when it has the answer, until a time has passed
 * and each has had some answers, or until `ended`. `pathOf` gives the path of a request by its number.
 */
export async function load(
  { read }: Clients,
  pathOf: (nth: number) => string,
  { clients, seconds, ended = () => false }: LoadOptions,
): Promise<Load> {
  const taken: Array<number> = []
  const begun = performance.now()
  let nth = 0
  const repeat = async (): Promise<void> => {
    for (let own = 0; !ended() && (performance.now() - begun < seconds * 1000 || own < leastOfClient); own++) {
      const asked = performance.now()
      await read(pathOf(nth++))
      taken.push(performance.now() - asked)
    }
  }
  await Promise.all(Array.from({ length: clients }, repeat))
  return { ...summary(taken), requestsPerSecond: taken.length / ((performance.now() - begun) / 1000) }
}

interface LoadOptions {
  readonly clients: number
  readonly seconds: number
  /** Left out: it is only the time that ends it. */
  readonly ended?: () => boolean
}

/** Answers of each client at least: of slow requests a time has too few. */
const leastOfClient = 3
