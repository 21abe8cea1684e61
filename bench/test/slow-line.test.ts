import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { Lane, type SlowLine, slowLine } from '../src/gateway/slow-line.ts'

test.each([
  // Half a round trip, and at 8 Mbit/s a millisecond for 1,000 bytes.
  [{ latencyMs: 50, mbits: 8 }, [26, 27, 28]],
  [{ latencyMs: 50, mbits: null }, [25, 25, 25]],
  [{ latencyMs: 0, mbits: 8 }, [1, 2, 3]],
])('what is sent at once over %j arrives one after the other', (quality, expected) => {
  const lane = new Lane(quality)
  expect([0, 0, 0].map((sentAt) => lane.arrival(sentAt, 1000))).toEqual(expected)
})

test('a line that was idle begins when something is sent', () => {
  const lane = new Lane({ latencyMs: 50, mbits: 8 })
  lane.arrival(0, 1000)
  expect(lane.arrival(500, 1000)).toBe(526)
})

const closing: Array<() => unknown> = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

/** A server that answers each connection, reached over a line. */
const lineTo = async (answer: (socket: Socket) => void): Promise<SlowLine> => {
  const server = createServer({ allowHalfOpen: true }, answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(() => server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port')
  const line = await slowLine(address.port, { latencyMs: 2, mbits: 1000 })
  closing.push(() => line.close())
  return line
}

const received = async (socket: Socket): Promise<Buffer> => {
  const parts: Array<Buffer> = []
  socket.on('data', (part: Buffer) => parts.push(part))
  await once(socket, 'end')
  return Buffer.concat(parts)
}

test('bytes come through unchanged in both directions, and so do ends', async () => {
  const line = await lineTo(async (socket) => socket.end(Buffer.concat([await received(socket), Buffer.from('end')])))
  const sent = Buffer.alloc(3_000_000, 'netbox-pbs')
  const client = connect({ port: line.port, host: '127.0.0.1', allowHalfOpen: true })
  client.end(sent)
  expect((await received(client)).equals(Buffer.concat([sent, Buffer.from('end')]))).toBe(true)
})

test('a connection that breaks on one side breaks on the other', async () => {
  const line = await lineTo((socket) => socket.once('data', () => socket.resetAndDestroy()))
  const client = connect({ port: line.port, host: '127.0.0.1' })
  client.on('error', () => undefined).write('x')
  await once(client, 'close')
  expect(client.destroyed).toBe(true)
})
