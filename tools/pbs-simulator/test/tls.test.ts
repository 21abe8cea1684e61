import { X509Certificate } from 'node:crypto'
import { get } from 'node:http'
import { connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Simulator, startSimulator } from '../src/index.ts'
import { ask } from './client.ts'

let sim: Simulator

beforeAll(async () => {
  sim = await startSimulator({ snapshots: 40, failureDelayMs: 0, seed: 7 })
})
afterAll(() => sim.close())

const handshake = (): Promise<{ certificate: X509Certificate; alpn: string | false | null; authorized: boolean }> =>
  new Promise((resolve, reject) => {
    const socket = connect(
      { host: sim.host, port: sim.port, rejectUnauthorized: false, ALPNProtocols: ['h2', 'http/1.1'] },
      () => {
        const certificate = new X509Certificate(socket.getPeerCertificate().raw)
        resolve({ certificate, alpn: socket.alpnProtocol, authorized: socket.authorized })
        socket.destroy()
      },
    )
    socket.on('error', reject)
  })

describe('the certificate', () => {
  test('is self-signed, no CA, and named as a PBS installs it', async () => {
    const { certificate, authorized } = await handshake()
    expect(authorized).toBe(false)
    expect(certificate.ca).toBe(false)
    expect(certificate.issuer).toBe(certificate.subject)
    expect(certificate.subject).toMatch(/^O=Proxmox Backup Server\nOU=[0-9a-f-]{36}\nCN=pbs-a\.example\.net$/)
    expect(certificate.verify(certificate.publicKey)).toBe(true)
    expect(certificate.subjectAltName).toBe(
      'IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, DNS:localhost, DNS:pbs-a, DNS:pbs-a.example.net',
    )
    expect(certificate.checkIP('192.0.2.10')).toBeUndefined()
    expect(new Date(certificate.validTo).getUTCFullYear()).toBeGreaterThan(3000)
  })

  test('has the fingerprint that the simulator and the node status tell', async () => {
    const { certificate } = await handshake()
    expect(sim.fingerprint).toBe(certificate.fingerprint256.toLowerCase())
    const status = JSON.parse((await ask(sim, '/nodes/localhost/status')).text)
    expect(status.data.info.fingerprint).toBe(sim.fingerprint)
  })

  test('follows from the seed', async () => {
    const twin = await startSimulator({ snapshots: 40, seed: 7 })
    const stranger = await startSimulator({ snapshots: 40, seed: 8 })
    expect(twin.fingerprint).toBe(sim.fingerprint)
    expect(stranger.fingerprint).not.toBe(sim.fingerprint)
    await twin.close()
    await stranger.close()
  })

  test('changes when it is rotated', async () => {
    const before = sim.fingerprint
    await sim.rotateCertificate()
    expect(sim.fingerprint).not.toBe(before)
    expect((await handshake()).certificate.fingerprint256.toLowerCase()).toBe(sim.fingerprint)
  })
})

test('no protocol is negotiated', async () => {
  expect((await handshake()).alpn).toBe(false)
})

test.each([
  ['GET', 301],
  ['POST', 308],
])('plain HTTP with %s is redirected with %i, without the path', async (method, status) => {
  const url = `http://127.0.0.1:${sim.port}/api2/json/version`
  const answer = await new Promise<{ status: number | undefined; location: string | undefined }>((resolve, reject) => {
    get(url, { method }, (response) => {
      response.resume()
      resolve({ status: response.statusCode, location: response.headers.location })
    }).on('error', reject)
  })
  expect(answer).toEqual({ status, location: `https://127.0.0.1:${sim.port}` })
})

test('keep-alive serves several requests on one connection', async () => {
  const { Agent, request } = await import('node:https')
  const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false })
  sim.discardRequests()
  for (let index = 0; index < 3; index += 1)
    await new Promise<void>((resolve, reject) => {
      request(`${sim.url}/api2/json/ping`, { agent }, (response) => {
        response.resume()
        response.on('end', () => resolve())
      })
        .on('error', reject)
        .end()
    })
  agent.destroy()
  expect(sim.counts).toEqual({ requests: 3, connections: 1, tlsConnections: 1 })
})
