import { createServer } from 'node:net'
import { type SecureVersion, TLSSocket } from 'node:tls'
import { inspect } from 'node:util'
import { Effect, Either, Redacted } from 'effect'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { PbsConnection } from '../src/index.ts'
import { connectionTo, failureIn, json, run, secret } from './client-harness.ts'
import { makeCertificate, type RunningServer, recordTls, serveHttps, type TestCertificate } from './tls-server.ts'

const pin = (certificate: TestCertificate) => certificate.fingerprint
const version = { version: '4.2', release: '3', repoid: 'x' }

let right: TestCertificate
let wrong: TestCertificate
let server: RunningServer
beforeAll(async () => {
  right = await makeCertificate()
  wrong = await makeCertificate('impostor.example.net')
  server = await serveHttps(right, json(version))
})
afterAll(() => server.close())

const askVersion = (overrides: Partial<PbsConnection>) =>
  run(connectionTo(server.port, overrides), (client) => client.version())

describe('who is trusted', () => {
  const rows: ReadonlyArray<readonly [string, () => Partial<PbsConnection>, string]> = [
    ['the pin as Node prints it', () => ({ fingerprint: pin(right) }), 'answer'],
    ['the pin in lower case', () => ({ fingerprint: pin(right).toLowerCase() }), 'answer'],
    ['the pin without colons', () => ({ fingerprint: pin(right).replaceAll(':', '') }), 'answer'],
    ['the pin, verifySsl off', () => ({ fingerprint: pin(right), verifySsl: false }), 'answer'],
    ['another pin', () => ({ fingerprint: pin(wrong) }), 'tls_fingerprint_mismatch'],
    ['another pin, verifySsl off', () => ({ fingerprint: pin(wrong), verifySsl: false }), 'tls_fingerprint_mismatch'],
    ['a pin that is none', () => ({ fingerprint: 'aa:bb', verifySsl: false }), 'tls_fingerprint_mismatch'],
    ['no pin', () => ({}), 'tls_untrusted'],
    ['no pin, verifySsl off', () => ({ verifySsl: false }), 'answer'],
  ]
  test.each(rows)('%s', async (_name, overrides, expected) => {
    const outcome = await askVersion(overrides())
    expect(Either.isRight(outcome) ? 'answer' : outcome.left.reason).toBe(expected)
  })

  test('a mismatch carries both fingerprints as PBS writes them', async () => {
    const error = failureIn(await askVersion({ fingerprint: pin(wrong) }))
    expect(error.fingerprints).toEqual({ expected: pin(wrong).toLowerCase(), presented: pin(right).toLowerCase() })
    expect(error.message).toContain(pin(right).toLowerCase())
  })
})

test('a certificate that does not verify is told with its fingerprint', async () => {
  const error = failureIn(await askVersion({ fingerprint: null, verifySsl: true }))
  expect([error.reason, error.fingerprints]).toEqual([
    'tls_untrusted',
    { expected: null, presented: pin(right).toLowerCase() },
  ])
  expect(error.message).toContain(`(presented ${pin(right).toLowerCase()})`)
})

describe('a server that is not trusted', () => {
  const rows: ReadonlyArray<readonly [string, SecureVersion, () => Partial<PbsConnection>]> = [
    ['with another pin', 'TLSv1.2', () => ({ fingerprint: pin(right), verifySsl: false })],
    ['without a pin', 'TLSv1.2', () => ({})],
    ['with another pin', 'TLSv1.3', () => ({ fingerprint: pin(right), verifySsl: false })],
    ['without a pin', 'TLSv1.3', () => ({})],
  ]
  test.each(rows)('never sees a byte of a request, %s (%s)', async (_name, maxVersion, overrides) => {
    const impostor = await recordTls(wrong, maxVersion)
    const calls = await run(connectionTo(impostor.port, { ...overrides(), timeoutSeconds: 2 }), (client) =>
      Effect.all([Effect.flip(client.version()), client.probe(), Effect.flip(client.datastores())]),
    )
    expect(Either.isRight(calls)).toBe(true)
    expect(await impostor.removed(3)).toBe(3)
    // In TLS 1.3 the client is through first, and may leave before the server is.
    if (maxVersion === 'TLSv1.2') expect(impostor.handshakes()).toBe(3)
    expect(impostor.bytes()).toBe('')
    await impostor.close()
  })

  test('is told from one that is, by the same recorder', async () => {
    const recorder = await recordTls(right)
    await run(connectionTo(recorder.port, { fingerprint: pin(right), timeoutSeconds: 0.3 }), (client) =>
      client.version(),
    )
    expect(recorder.bytes()).toContain(`PBSAPIToken=inventory@pbs!reader:${secret}`)
    await recorder.close()
  })
})

describe('a probe', () => {
  test('shows the certificate of a server it may not trust, and why', async () => {
    const outcome = await run(connectionTo(server.port), (client) => client.probe())
    expect(Either.getOrThrow(outcome)).toMatchObject({
      presentedFingerprint: pin(right).toLowerCase(),
      chainVerifies: false,
      certificate: { subject: 'CN=pbs1.example.net' },
      version: null,
      failure: { reason: 'tls_untrusted' },
    })
  })

  test('asks for the version where it may', async () => {
    const outcome = await run(connectionTo(server.port, { fingerprint: pin(right) }), (client) => client.probe())
    expect(Either.getOrThrow(outcome)).toMatchObject({ version: { version: '4.2' }, failure: null })
  })

  test('asks a socket for the certificate once, since Node 22 gives it once', async () => {
    const { getPeerX509Certificate } = TLSSocket.prototype
    const shown = new WeakSet<TLSSocket>()
    onTestFinished(() => {
      TLSSocket.prototype.getPeerX509Certificate = getPeerX509Certificate
    })
    TLSSocket.prototype.getPeerX509Certificate = function (this: TLSSocket) {
      if (shown.has(this)) return undefined
      shown.add(this)
      return getPeerX509Certificate.call(this)
    }
    const outcome = await run(connectionTo(server.port, { fingerprint: pin(right) }), (client) => client.probe())
    expect(Either.getOrThrow(outcome)).toMatchObject({ version: { version: '4.2' }, failure: null })
  })
})

describe('where no PBS is', () => {
  test('a closed port is unreachable', async () => {
    const removed = await serveHttps(right, json(version))
    await removed.close()
    const error = failureIn(await run(connectionTo(removed.port), (client) => client.version()))
    expect(error.reason).toBe('unreachable')
    expect(error.message).toContain(`127.0.0.1:${removed.port}`)
  })

  test('a plain text service is a protocol failure, a silent one a timeout', async () => {
    const plain = createServer((socket) => socket.on('error', () => {}).end('SSH-2.0-OpenSSH_9.9\r\n'))
    const silent = createServer((socket) => socket.on('error', () => {}))
    for (const it of [plain, silent]) await new Promise<void>((resolve) => it.listen(0, '127.0.0.1', resolve))
    const ask = async (address: ReturnType<typeof plain.address>) => {
      const port = typeof address === 'object' && address !== null ? address.port : 0
      return failureIn(await run(connectionTo(port, { timeoutSeconds: 0.3 }), (client) => client.version())).reason
    }
    expect(await ask(plain.address())).toBe('protocol')
    expect(await ask(silent.address())).toBe('timeout')
    for (const it of [plain, silent]) it.close()
  })

  test('an IPv6 host works with and without brackets', async () => {
    const six = await serveHttps(right, json(version), '::1')
    for (const host of ['::1', '[::1]']) {
      const outcome = await run(connectionTo(six.port, { host, fingerprint: pin(right) }), (client) => client.version())
      expect(Either.isRight(outcome)).toBe(true)
    }
    await six.close()
  })
})

test('the secret is in no message and no inspection, even when the server echoes it', async () => {
  const echo = await serveHttps(right, (request, response) => {
    response.writeHead(400).end(`you sent ${request.headers.authorization}`)
  })
  const connection = connectionTo(echo.port, { fingerprint: pin(right) })
  const error = failureIn(await run(connection, (client) => client.version()))
  const shown = [error.message, inspect(error, { depth: 9 }), JSON.stringify(error), inspect(connection, { depth: 9 })]
  expect(error.detail).toBe('you sent PBSAPIToken=inventory@pbs!reader:<redacted>')
  for (const text of shown) expect(text).not.toContain(secret)
  await echo.close()
})

test('a secret that no URL can hold fails as any other, on a refused connection and on one that is answered', async () => {
  const tokenSecret = Redacted.make('\ud800')
  const rejected = await run(connectionTo(1, { tokenSecret }), (client) => client.probe())
  expect(failureIn(rejected).reason).toBe('unreachable')
  const answered = await run(connectionTo(server.port, { tokenSecret, verifySsl: false }), (client) => client.version())
  expect(Either.isRight(answered)).toBe(true)
})
