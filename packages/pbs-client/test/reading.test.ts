import type { IncomingMessage, ServerResponse } from 'node:http'
import { Chunk, Effect, Either, Redacted, type Scope, Stream } from 'effect'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { makePbsClient, type PbsClient, type PbsConnection, PbsRequestFailed } from '../src/index.ts'
import { makeCertificate, type RunningServer, serveHttps, type TestCertificate } from './tls-server.ts'

const secret = '6f0c1d7e-2b44-4c1a-9a35-7d1e0f5b8c21'
let certificate: TestCertificate
let server: RunningServer
let respond: (request: IncomingMessage, response: ServerResponse) => void
let requests: Array<IncomingMessage> = []

beforeAll(async () => {
  certificate = await makeCertificate()
  server = await serveHttps(certificate, (request, response) => {
    requests.push(request)
    respond(request, response)
  })
})
afterAll(() => server.close())
beforeEach(() => {
  requests = []
})

const connectionTo = (overrides: Partial<PbsConnection> = {}): PbsConnection => ({
  host: '127.0.0.1',
  port: server.port,
  tokenId: 'inventory@pbs!reader',
  tokenSecret: Redacted.make(secret),
  fingerprint: certificate.fingerprint,
  verifySsl: true,
  timeoutSeconds: 5,
  ...overrides,
})

const withClient = <A, E>(
  use: (client: PbsClient) => Effect.Effect<A, E, Scope.Scope>,
  overrides?: Partial<PbsConnection>,
) => Effect.runPromise(Effect.scoped(Effect.either(Effect.flatMap(makePbsClient(connectionTo(overrides)), use))))

const succeeds = async <A, E>(
  use: (client: PbsClient) => Effect.Effect<A, E, Scope.Scope>,
  overrides?: Partial<PbsConnection>,
) => Either.getOrThrow(await withClient(use, overrides))

const fails = async <A, E>(
  use: (client: PbsClient) => Effect.Effect<A, E, Scope.Scope>,
  overrides?: Partial<PbsConnection>,
) => {
  const outcome = await withClient(use, overrides)
  if (Either.isRight(outcome) || !(outcome.left instanceof PbsRequestFailed))
    throw new Error('did not fail as a PBS request')
  return outcome.left
}

const json = (data: unknown) => (_: unknown, response: ServerResponse) => {
  response.setHeader('content-type', 'application/json;charset=UTF-8').end(JSON.stringify({ data }))
}
const status = (code: number, text: string) => (_: unknown, response: ServerResponse) => {
  response.writeHead(code, { 'content-type': 'application/json;charset=UTF-8' }).end(text)
}

describe('a request', () => {
  test('carries the token, asks for plain bytes and sends no content type', async () => {
    respond = json({ version: '4.2', release: '3', repoid: 'abc', later: 1 })
    const version = await succeeds((client) => client.version())
    expect(version).toEqual({ version: '4.2', release: '3', repoid: 'abc', unsafeIntegers: [] })
    const [seen] = requests
    expect(seen?.method).toBe('GET')
    expect(seen?.url).toBe('/api2/json/version')
    expect(seen?.headers.authorization).toBe(`PBSAPIToken=inventory@pbs!reader:${secret}`)
    expect(seen?.headers['accept-encoding']).toBe('identity')
    expect(seen?.headers['content-type']).toBeUndefined()
  })

  test('encodes slashes of a namespace, and leaves the root namespace out', async () => {
    respond = json([])
    await succeeds((client) =>
      Stream.runDrain(client.snapshots({ store: 'tank', ns: 'site-a/lab', backupType: 'vm', backupId: '101' })),
    )
    await succeeds((client) => Stream.runDrain(client.groups('tank', '')))
    expect(requests.map((request) => request.url)).toEqual([
      '/api2/json/admin/datastore/tank/snapshots?ns=site-a%2Flab&backup-type=vm&backup-id=101',
      '/api2/json/admin/datastore/tank/groups',
    ])
  })
})

describe('snapshots', () => {
  test('come with nulls for what is absent, and name integers that would have been rounded', async () => {
    respond = (_, response) =>
      response.end(
        '{"data":[{"backup-type":"vm","backup-id":"101","backup-time":1780088404,"files":[{"filename":"a.fidx","crypt-mode":"encrypt","size":9007199254740993}],"size":5,"protected":true,"verification":{"upid":"U","state":"ok"}},{"backup-type":"tape","backup-id":"x","backup-time":2,"owner":null}]}',
      )
    const rows = await succeeds((client) => Stream.runCollect(client.snapshots({ store: 'tank', ns: '' })))
    const absent = { comment: null, fingerprint: null, owner: null }
    expect(Chunk.toReadonlyArray(rows)).toEqual([
      {
        ...absent,
        'backup-type': 'vm',
        'backup-id': '101',
        'backup-time': 1780088404,
        files: [{ filename: 'a.fidx', size: null, 'crypt-mode': 'encrypt' }],
        size: 5,
        protected: true,
        verification: { upid: 'U', state: 'ok' },
        unsafeIntegers: ['files.0.size'],
      },
      {
        ...absent,
        'backup-type': 'tape',
        'backup-id': 'x',
        'backup-time': 2,
        files: [],
        size: null,
        protected: false,
        verification: null,
        unsafeIntegers: [],
      },
    ])
  })

  test('a row without a required key names endpoint, row and field', async () => {
    respond = json([
      { 'backup-type': 'vm', 'backup-id': '1', 'backup-time': 1 },
      { 'backup-type': 'vm', 'backup-id': '1' },
    ])
    const error = await fails((client) => Stream.runDrain(client.snapshots({ store: 'tank', ns: '' })))
    expect(error.reason).toBe('protocol')
    expect(error.endpoint).toBe('/admin/datastore/tank/snapshots')
    expect(error.detail).toContain('row 2, field backup-time')
  })

  test('a group that vanishes during the walk is asked for once more, also with one request at a time', async () => {
    respond = (_, response) =>
      requests.length === 1 ? status(400, 'ENOENT: No such file or directory')(_, response) : json([])(_, response)
    await succeeds((client) => Stream.runDrain(client.snapshots({ store: 'tank', ns: '' })), { concurrency: 1 })
    expect(requests.length).toBe(2)
  })

  test('a namespace that is gone is not_found after one repetition', async () => {
    respond = status(400, 'ENOENT: No such file or directory')
    const error = await fails((client) => Stream.runDrain(client.snapshots({ store: 'tank', ns: 'gone' })), {
      concurrency: 1,
    })
    expect([error.reason, error.status, requests.length]).toEqual(['not_found', 400, 2])
  })

  test('a list that breaks off is an error, never a shorter list', async () => {
    respond = (_, response) => {
      response.write('{"data":[{"backup-type":"vm","backup-id":"1","backup-time":1},', () => response.destroy())
    }
    const error = await fails((client) => Stream.runDrain(client.snapshots({ store: 'tank', ns: '' })))
    expect([error.reason, requests.length]).toEqual(['unreachable', 1])
  })

  test('a list that ends early with a clean end is an error too', async () => {
    respond = (_, response) => response.end('{"data":[{"backup-type":"vm","backup-id":"1","backup-time":1}')
    const error = await fails((client) => Stream.runDrain(client.snapshots({ store: 'tank', ns: '' })))
    expect([error.reason, error.detail]).toEqual(['protocol', 'the answer ended inside item 2 of the list'])
  })
})

describe('a silent server', () => {
  test('before the first byte is a timeout', async () => {
    respond = () => {}
    const error = await fails((client) => client.version(), { timeoutSeconds: 0.2 })
    expect([error.reason, error.detail, requests.length]).toEqual(['timeout', 'no answer within 0.2 s', 1])
  })

  test('inside the answer is a timeout', async () => {
    respond = (_, response) => response.write('{"data":[')
    const error = await fails((client) => Stream.runDrain(client.snapshots({ store: 'tank', ns: '' })), {
      timeoutSeconds: 0.2,
    })
    expect([error.reason, error.detail]).toEqual(['timeout', 'no byte for 0.2 s inside the answer'])
  })
})
