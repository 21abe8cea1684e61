import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A TCP proxy in front of a server, whose open connections can be frozen. */
export interface FreezingProxy {
  /** The server's URL by way of the proxy. */
  readonly url: string
  /** Keeps the connections that are open now, and passes nothing on any more; new ones work. */
  readonly freeze: () => void
  /** Connections that are frozen and that the client has not closed yet. */
  readonly frozen: () => number
  readonly stop: () => Promise<void>
}

/**
 * Starts a proxy on a free port of 127.0.0.1. Frozen connections stay open and silent, as those of
 * a hung pooler do or of a peer whose packets are lost.
 */
export async function freezingProxy(target: string): Promise<FreezingProxy> {
  const to = new URL(target)
  const pairs = new Set<{ readonly client: Socket; readonly server: Socket; frozen: boolean }>()
  const listener = createServer((client) => {
    const server = connect(Number(to.port), to.hostname)
    const pair = { client, server, frozen: false }
    pairs.add(pair)
    const pass = (from: Socket, other: Socket) => {
      from.on('data', (bytes) => {
        if (!pair.frozen) other.write(bytes)
      })
      from.on('error', () => undefined)
    }
    pass(client, server)
    pass(server, client)
    client.on('close', () => {
      pairs.delete(pair)
      server.destroy()
    })
    server.on('close', () => {
      if (!pair.frozen) client.destroy()
    })
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const address = listener.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port')
  const url = new URL(target)
  url.host = `127.0.0.1:${address.port}`
  return {
    url: url.href,
    freeze: () => {
      for (const pair of pairs) pair.frozen = true
    },
    frozen: () => [...pairs].filter(({ frozen }) => frozen).length,
    stop: async () => {
      for (const { client, server } of pairs) {
        client.destroy()
        server.destroy()
      }
      listener.close()
      await once(listener, 'close')
    },
  }
}
