import { once } from 'node:events'
import { createServer, type Server } from 'node:net'

const message = (type: string, body: Buffer): Buffer => {
  const length = Buffer.alloc(4)
  length.writeInt32BE(body.length + 4)
  return Buffer.concat([Buffer.from(type), length, body])
}
const int16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255])
const int32 = (value: number): Buffer => Buffer.concat([int16(value >>> 16), int16(value & 65_535)])
const text = (value: string): Buffer => Buffer.from(`${value}\0`)
const sized = (value: string): Buffer => Buffer.concat([int32(value.length), Buffer.from(value)])

const column = (name: string, type: number): Buffer =>
  Buffer.concat([text(name), int32(0), int16(0), int32(type), int16(-1 & 65_535), int32(0xffffffff), int16(0)])
const idle = message('Z', Buffer.from('I'))
const facts = Buffer.concat([
  message('T', Buffer.concat([int16(2), column('version', 23), column('encoding', 25)])),
  message('D', Buffer.concat([int16(2), sized('130014'), sized('UTF8')])),
])

/** Speaks as much of PostgreSQL's protocol as it takes to say: I am version 13. */
export async function startOldPostgres(): Promise<{ readonly server: Server; readonly url: string }> {
  const server = createServer((socket) => {
    let greeted = false
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      if (!greeted) socket.write(Buffer.concat([message('R', int32(0)), idle]))
      else if (chunk.includes('server_version_num')) socket.write(Buffer.concat([facts, done, idle]))
      else if (chunk[0] === 0x51) socket.write(Buffer.concat([done, done, done, idle]))
      greeted = true
    })
  }).listen(0, '127.0.0.1')
  const done = message('C', text('SELECT 1'))
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return { server, url: `postgres://netbox:hidden@127.0.0.1:${port}/inventory` }
}
