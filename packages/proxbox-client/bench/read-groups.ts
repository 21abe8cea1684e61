/**
 * How fast groups come out of a gateway over the loopback: unparsed, as a second sync reads them,
 * and parsed, as a first one does. The server is a process of its own. Run: `npx tsx -C source
 * packages/proxbox-client/bench/read-groups.ts`
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { Effect, Stream } from 'effect'
import { encodeFrame } from '../src/contract/index.ts'
import { groupFrame } from '../test/frames.ts'
import { framesFrom } from '../test/source.ts'

const groups = 20_000
const snapshots = 50
const batch = 40

if (process.argv[2] === 'serve') {
  const some = Array.from({ length: batch }, (_, id) => encodeFrame(groupFrame(String(id), snapshots)))
  const lines = Buffer.from(some.join(''))
  const server = createServer(async (_, response) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    for (let count = 0; count < groups; count += batch) {
      if (!response.write(lines)) await once(response, 'drain')
    }
    response.end('{"frame":"end","items":[]}\n')
  }).listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
} else {
  const server = fork(fileURLToPath(import.meta.url), ['serve'], { execArgv: process.execArgv })
  const [port] = await once(server, 'message')
  const url = `http://127.0.0.1:${port}`
  const bytes = Buffer.byteLength(encodeFrame(groupFrame('1', snapshots))) * groups
  const ways = {
    bytes: async () => {
      for await (const _ of (await fetch(url)).body ?? []);
    },
    json: async () => {
      let rest = ''
      const text = (await fetch(url)).body?.pipeThrough(new TextDecoderStream()) ?? []
      for await (const part of text) {
        const lines = (rest + part).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) JSON.parse(line)
      }
    },
    unparsed: () => Effect.runPromise(Stream.runDrain(framesFrom(url))),
    parsed: () =>
      Effect.runPromise(
        Stream.runForEach(framesFrom(url), (frame) => (frame._tag === 'group' ? frame.parse : Effect.void)),
      ),
  }
  for (const [name, read] of Object.entries(ways)) {
    if (process.argv[2] !== undefined && process.argv[2] !== name) continue
    const started = performance.now()
    const before = process.cpuUsage()
    await read()
    const { user, system } = process.cpuUsage(before)
    const seconds = (performance.now() - started) / 1000
    const rate = (amount: number) => (amount / seconds).toFixed(0)
    const peak = (process.resourceUsage().maxRSS / 1024).toFixed(0)
    process.stdout.write(
      `${name}: ${seconds.toFixed(2)} s, ${((user + system) / 1e6).toFixed(2)} s of CPU, ${rate(groups)} groups/s, ${rate(groups * snapshots)} snapshots/s, ${rate(bytes / 1e6)} MB/s, peak ${peak} MB\n`,
    )
  }
  server.kill()
}
