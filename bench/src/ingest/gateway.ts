import { createReadStream } from 'node:fs'
import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import { json } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { ndjsonMediaType, type SyncRequest } from '@netbox-pbs/proxbox-client/contract'
import { asPart } from '../child.ts'
import { readIndex, recordedFile, unlessKnown } from './recording.ts'

/** The task of the process of recorded gateways. */
export interface GatewayTask {
  readonly folder: string
}

/** Where it listens: a recording is a gateway at `url/<recording>`. */
export interface GatewayAnswer {
  readonly url: string
}

await asPart<GatewayTask, GatewayAnswer>(async ({ folder }) => {
  // Read with the first request for a file, as a gateway knows its frames.
  const indexes = new Map<string, ReturnType<typeof readIndex>>()
  const server = createServer(async (request, response) => {
    const [, recording, resource] = /^\/(\w+)\/pbs\/sync\/(\w+)$/.exec(request.url ?? '') ?? []
    if (recording === undefined || resource === undefined) {
      request.resume()
      response.writeHead(404).end()
      return
    }
    const file = recordedFile(folder, recording, resource)
    // border: the body of a reader of the benchmark, or none
    const { known_frames } = (await json(request).catch(() => ({}))) as Partial<SyncRequest>
    const index = indexes.get(file) ?? readIndex(file)
    indexes.set(file, index)
    response.writeHead(200, { 'content-type': ndjsonMediaType })
    const stream =
      known_frames === undefined
        ? createReadStream(file, { highWaterMark: 1 << 20 })
        : Readable.from(unlessKnown(file, await index, new Set(known_frames)), { objectMode: false })
    pipeline(stream, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  process.once('disconnect', () => {
    server.close()
    server.closeAllConnections()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port')
  return { url: `http://127.0.0.1:${address.port}` }
})
