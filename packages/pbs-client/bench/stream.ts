// Reads a list of snapshots through the client over TLS; the server is another process, so the memory is the client's.
// node --conditions=source --import tsx packages/pbs-client/bench/stream.ts [rows]
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Effect, Redacted, Stream } from 'effect'
import { makePbsClient } from '../src/index.ts'
import { makeCertificate, serveHttps } from '../test/tls-server.ts'
import { snapshotBody } from './generate.ts'

const rows = Number(process.argv[2] ?? 200_000)

const serve = async () => {
  const server = await serveHttps(await makeCertificate(), async (_, response) => {
    for (const piece of snapshotBody(rows)) if (!response.write(piece)) await once(response, 'drain')
    response.end()
  })
  process.send?.(server.port)
}

const read = async (child: ChildProcess) => {
  const [port] = await once(child, 'message')
  const begun = performance.now()
  const before = process.memoryUsage.rss()
  let peak = 0
  const found = await Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const client = yield* makePbsClient({
          host: '127.0.0.1',
          port: Number(port),
          tokenId: 'bench@pbs!bench',
          tokenSecret: Redacted.make('none'),
          fingerprint: null,
          verifySsl: false,
          timeoutSeconds: 30,
        })
        return yield* Stream.runFold(client.snapshots({ store: 'tank', ns: '' }), 0, (count) => {
          if (count % 1_000 === 0) peak = Math.max(peak, process.memoryUsage.rss())
          return count + 1
        })
      }),
    ),
  )
  const seconds = (performance.now() - begun) / 1000
  process.stdout.write(
    `${found.toLocaleString('en')} rows over TLS: ${Math.round(found / seconds).toLocaleString('en')} rows/s, peak RSS ${Math.round(peak / 1e6)} MB (${Math.round(before / 1e6)} before)\n`,
  )
  child.kill()
}

if (process.send === undefined) await read(fork(fileURLToPath(import.meta.url), [String(rows)]))
else await serve()
