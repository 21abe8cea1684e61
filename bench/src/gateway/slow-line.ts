import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** What a line between two machines does to bytes. */
export interface LineQuality {
  /** How long bytes take there and back, in milliseconds. */
  readonly latencyMs: number
  /** Of each direction, in megabits a second; null: without a bound. */
  readonly mbits: number | null
}

/** A running line. */
export interface SlowLine {
  /** Its port on 127.0.0.1, which leads to the server. */
  readonly port: number
  readonly close: () => Promise<void>
}

/** What one direction of all connections shares: bytes leave one after the other, and are under way for half a round trip. */
export class Lane {
  readonly #millisPerByte: number
  readonly #oneWay: number
  #free = Number.NEGATIVE_INFINITY

  constructor({ latencyMs, mbits }: LineQuality) {
    this.#oneWay = latencyMs / 2
    this.#millisPerByte = mbits === null ? 0 : 8 / (mbits * 1000)
  }

  /** When so many bytes have arrived that are sent at a time; both in milliseconds. */
  arrival(sentAt: number, bytes: number): number {
    this.#free = Math.max(sentAt, this.#free) + bytes * this.#millisPerByte
    return this.#free + this.#oneWay
  }
}

/** So much of a connection is on the line at once where its bandwidth has no bound: a window of TCP as Linux has it. */
const largestWindow = 4 * 1024 * 1024

/** Bytes arrive in pieces of so many, which is a few milliseconds of a slow line. */
const pieceBytes = 8 * 1024

/**
 * Starts a line to a port of 127.0.0.1, for any protocol over TCP. A connection takes a round trip to open. Slow start
 * and lost packets are not simulated.
 */
export async function slowLine(serverPort: number, quality: LineQuality): Promise<SlowLine> {
  const [up, down] = [new Lane(quality), new Lane(quality)]
  const sockets = new Set<Socket>()
  const listener = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    const server = connect({ port: serverPort, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
    for (const socket of [client, server]) sockets.add(socket.on('close', () => sockets.delete(socket)))
    const openedAt = performance.now() + quality.latencyMs
    carry(client, server, { lane: up, openedAt, window: windowOf(quality) })
    carry(server, client, { lane: down, openedAt, window: windowOf(quality) })
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const address = listener.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port')
  return {
    port: address.port,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      listener.close()
      await once(listener, 'close')
    },
  }
}

/** Twice what the line holds, so that it is never empty while there is something to send. */
const windowOf = ({ latencyMs, mbits }: LineQuality): number =>
  mbits === null ? largestWindow : Math.min(largestWindow, Math.max(64 * 1024, (2 * latencyMs * mbits * 1000) / 8))

interface Way {
  readonly lane: Lane
  /** Nothing is sent before, in milliseconds. */
  readonly openedAt: number
  readonly window: number
}

/** Passes bytes on when they arrive, in order, and holds the sender back while a window of them is under way. */
function carry(from: Socket, to: Socket, { lane, openedAt, window }: Way): void {
  const underWay: Array<{ readonly bytes: Buffer | null; readonly at: number }> = []
  let held = 0
  let timer: NodeJS.Timeout | undefined
  const send = (bytes: Buffer | null) => {
    underWay.push({ bytes, at: lane.arrival(Math.max(performance.now(), openedAt), bytes?.length ?? 0) })
    deliverNext()
  }
  const deliverNext = () => {
    const [next] = underWay
    // A receiver that does not read is waited for.
    if (next === undefined || timer !== undefined || to.writableNeedDrain) return
    timer = setTimeout(deliver, Math.max(0, next.at - performance.now()))
  }
  const deliver = () => {
    timer = undefined
    while (underWay[0] !== undefined && underWay[0].at <= performance.now() && !to.writableNeedDrain) {
      const bytes = underWay.shift()?.bytes ?? null
      if (bytes === null) to.end()
      else to.write(bytes)
      held -= bytes?.length ?? 0
    }
    if (held < window) from.resume()
    deliverNext()
  }
  to.on('drain', deliverNext)
  from.on('data', (bytes: Buffer) => {
    held += bytes.length
    for (let at = 0; at < bytes.length; at += pieceBytes) send(bytes.subarray(at, at + pieceBytes))
    if (held >= window) from.pause()
  })
  from.on('end', () => send(null))
  from.on('error', () => to.destroy())
  to.on('close', () => {
    clearTimeout(timer)
    // One that has said its end may still wait for an answer.
    if (!from.readableEnded) from.destroy()
  })
}
