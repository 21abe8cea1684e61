import { createReadStream } from 'node:fs'
import { createServer } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { ndjsonMediaType } from '@netbox-pbs/proxbox-client/contract'
import { asPart } from '../child.ts'
import { recordedFile } from './recording.ts'

/** The task of the process of recorded gateways. */
export interface GatewayTask {
  readonly folder: string
}

/** Where it listens: a recording is a gateway at `url/<recording>`. */
export interface GatewayAnswer {
  readonly url: string
}

await asPart<GatewayTask, GatewayAnswer>(async ({ folder }) => {
  const server = createServer((request, response) => {
    const [, recording, resource] = /^\/(\w+)\/pbs\/sync\/(\w+)$/.exec(request.url ?? '') ?? []
    request.resume()
    if (recording === undefined || resource === undefined) {
      response.writeHead(404).end()
      return
    }
    response.writeHead(200, { 'content-type': ndjsonMediaType })
    pipeline(createReadStream(recordedFile(folder, recording, resource), { highWaterMark: 1 << 20 }), response).catch(
      () => response.destroy(),
    )
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
