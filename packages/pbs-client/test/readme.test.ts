import { Console, Effect, Redacted, Stream } from 'effect'
import { expect, test } from 'vitest'
import { isReadable, makePbsClient } from '../src/index.ts'
import { json, routes } from './client-harness.ts'
import { makeCertificate, serveHttps } from './tls-server.ts'

test('the example of the README runs', async () => {
  const certificate = await makeCertificate()
  const rows = [
    { 'backup-type': 'vm', 'backup-id': '101', 'backup-time': 1780088404, files: [{ filename: 'index.json.blob' }] },
  ]
  const server = await serveHttps(
    certificate,
    routes({ '/admin/datastore/tank/namespace': json([{ ns: '' }]), '/admin/datastore/tank/snapshots': json(rows) }),
  )
  const lines: Array<unknown> = []
  const connection = {
    host: '127.0.0.1',
    port: server.port,
    tokenId: 'inventory@pbs!reader',
    tokenSecret: Redacted.make('6f0c1d7e-2b44-4c1a-9a35-7d1e0f5b8c21'),
    fingerprint: certificate.fingerprint,
    verifySsl: true,
    timeoutSeconds: 30,
  }
  const program = Effect.gen(function* () {
    const client = yield* makePbsClient(connection)
    yield* client.namespaces('tank').pipe(
      Stream.filter(isReadable),
      Stream.flatMap(({ ns }) => client.snapshots({ store: 'tank', ns })),
      Stream.filter(isReadable),
      Stream.runForEach((snapshot) => Console.log(snapshot['backup-id'], snapshot.size)),
    )
  }).pipe(Effect.scoped)

  const print = (...line: ReadonlyArray<unknown>) => Effect.sync(() => lines.push(line))
  const shown = await Effect.runPromise(Effect.map(Effect.console, (standard) => ({ ...standard, log: print })))
  await Effect.runPromise(Effect.withConsole(program, shown))
  expect(lines).toEqual([['101', null]])
  await server.close()
})
