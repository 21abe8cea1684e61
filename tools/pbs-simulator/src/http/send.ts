import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { createDeflate, createDeflateRaw } from 'node:zlib'
import type { SimulatedResponse } from './response.ts'

/** How PBS deflates: old releases send raw DEFLATE, later ones the zlib format. */
export type Compression = 'identity' | 'deflate' | 'deflate-raw'

/** Changes to the way a body travels; the work of faults. */
export interface Disturbance {
  /** Stop after so many bytes of the (compressed) body: `cut` drops the connection, `truncate` ends properly. */
  readonly stop?: { readonly kind: 'cut' | 'truncate'; readonly afterBytes: number }
  readonly pace?: { readonly delayMs: number; readonly chunkBytes: number; readonly intervalMs: number }
}

async function* compressed(body: Iterable<string>, compression: Compression): AsyncGenerator<Buffer> {
  if (compression === 'identity') {
    for (const text of body) yield Buffer.from(text)
    return
  }
  const deflate = compression === 'deflate' ? createDeflate() : createDeflateRaw()
  const left = new AbortController()
  const feed = async () => {
    for (const text of body) if (!deflate.write(text)) await once(deflate, 'drain', { signal: left.signal })
    deflate.end()
  }
  const fed = feed().catch((error: unknown) => {
    deflate.destroy(error instanceof Error ? error : new Error(String(error)))
  })
  try {
    for await (const chunk of deflate) yield chunk
    await fed
  } finally {
    // A reader that leaves early must not keep the feeder waiting for a drain that never comes.
    left.abort()
  }
}

function* pieces(chunk: Buffer, size: number): Generator<Buffer> {
  for (let start = 0; start < chunk.length; start += size) yield chunk.subarray(start, start + size)
}

/** Writes and waits for the socket to take it; false when the client is gone. */
const write = async (response: ServerResponse, chunk: Buffer, removed: AbortSignal): Promise<boolean> => {
  if (removed.aborted) return false
  if (response.write(chunk)) return true
  await once(response, 'drain', { signal: removed }).catch(() => undefined)
  return !removed.aborted
}

const headersOf = (answer: SimulatedResponse, compression: Compression): Record<string, string> => ({
  ...(answer.contentType === null ? {} : { 'content-type': answer.contentType }),
  ...(compression === 'identity' ? {} : { 'content-encoding': 'deflate' }),
  ...answer.headers,
})

/**
 * Sends an answer, making its body no faster than the client reads it.
 *
 * Resolves when the answer is out, was stopped, or the client is gone.
 */
export const send = async (
  response: ServerResponse,
  answer: SimulatedResponse,
  compression: Compression,
  disturbance: Disturbance = {},
): Promise<void> => {
  const closed = new AbortController()
  response.once('close', () => closed.abort())
  const removed = closed.signal
  const wait = (milliseconds: number) =>
    milliseconds === 0 ? undefined : sleep(milliseconds, undefined, { signal: removed }).catch(() => undefined)

  await wait((answer.delayMs ?? 0) + (disturbance.pace?.delayMs ?? 0))
  if (removed.aborted) return
  const headers = headersOf(answer, compression)
  if (!answer.streamed && compression === 'identity' && disturbance.stop?.kind !== 'truncate')
    headers['content-length'] = String(Buffer.byteLength([...answer.body].join('')))
  response.writeHead(answer.status, headers)

  let left = disturbance.stop?.afterBytes ?? Number.POSITIVE_INFINITY
  for await (const chunk of compressed(answer.body, compression)) {
    for (const piece of pieces(chunk, disturbance.pace?.chunkBytes ?? chunk.length)) {
      const sent = piece.subarray(0, Math.min(piece.length, left))
      left -= sent.length
      if (!(await write(response, sent, removed))) return
      await wait(disturbance.pace?.intervalMs ?? 0)
      if (left <= 0) break
    }
    if (left <= 0) break
  }
  if (disturbance.stop?.kind !== 'cut') {
    response.end()
    return
  }
  // The written bytes must reach the client before the connection closes: an empty write is
  // confirmed after them.
  response.flushHeaders()
  await new Promise<void>((resolve) => {
    if (response.socket === null) resolve()
    else response.socket.write('', () => resolve())
  })
  response.socket?.destroy()
}
