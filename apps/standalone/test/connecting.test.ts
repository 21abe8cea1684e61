import { createServer } from 'node:net'
import { type Recorder, type Simulator, startRecorder, startSimulator } from '@netbox-pbs/pbs-simulator'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { netboxPbs, netboxPbsOnTerminal } from './support/process.ts'
import { type Row, request, runEnded, syncAndWait } from './support/rest.ts'
import { newHome, type RunningSystem, startSystem } from './support/running-system.ts'

// Real processes on a machine that may be busy with other tests.
vi.setConfig({ testTimeout: 120_000 })

const servers = '/api/plugins/pbs/servers/'
let system: RunningSystem
let pbs: Simulator
let thief: Recorder
beforeAll(async () => {
  system = await startSystem(newHome({}))
  pbs = await startSimulator({ name: 'pbs-a', seed: 5, snapshots: 20, failureDelayMs: 0, now: 1_790_000_000 })
  thief = await startRecorder()
})
afterAll(async () => {
  await system.stop()
  await pbs.close()
  await thief.close()
})

const rest = (method: string, path: string, body?: unknown) => request(system, method, path, body)
const command = (args: ReadonlyArray<string>, input = '') =>
  netboxPbs([...args, '--url', system.url, '--token', system.token], { input })
const body = () => ({
  name: pbs.name,
  host: pbs.host,
  port: pbs.port,
  fingerprint: pbs.fingerprint,
  token_id: pbs.tokens.audit.tokenId,
  token_secret: pbs.tokens.audit.secret,
})
const read = async (id: number) => (await rest('GET', `${servers}${id}/`)).json as Row // border: a test reads what it asserts
const runs = async () =>
  (await rest('GET', '/api/plugins/pbs/sync-runs/')).json as { count: number; results: ReadonlyArray<{ id: number }> } // border: as above

describe('a server is tried before it is stored', () => {
  test.each([
    ['the port is closed', () => ({ port: 1 }), 'host'],
    ['no pin', () => ({ fingerprint: '' }), 'fingerprint'],
    ['another pin', () => ({ fingerprint: thief.fingerprint }), 'fingerprint'],
    ['another secret', () => ({ token_secret: 'not-the-secret' }), 'token_secret'],
    [
      'a token without rights',
      () => ({ token_id: pbs.tokens.empty.tokenId, token_secret: pbs.tokens.empty.secret }),
      'token_id',
    ],
  ])('%s: a 400 on its field, nothing is stored', async (_, change, field) => {
    const rejected = await rest('POST', servers, { ...body(), ...change() })
    expect(rejected).toEqual({ status: 400, json: { [field]: [expect.stringContaining('Nothing was stored')] } })
    expect((await rest('GET', servers)).json).toMatchObject({ count: 0 })
  })

  test('what works is stored, and known at once', async () => {
    const made = await rest('POST', servers, body())
    expect(made).toMatchObject({
      status: 201,
      json: {
        status: { value: 'reachable' },
        tls_state: { value: 'ok' },
        version: `${pbs.state.version}.${pbs.state.release}`,
      },
    })
    const { id } = made.json as Row // border: as above
    expect((await rest('DELETE', `${servers}${id}/`)).status).toBe(204)
  })
})

test('a token that may write is told with the commands that reduce it, by REST, on its page and by the command', async () => {
  const { tokenId } = pbs.tokens.audit
  const before = [...pbs.state.acl]
  for (const authId of ['inventory@pbs', tokenId])
    pbs.state.acl.push({ path: '/datastore', authId, role: 'DatastoreAdmin', propagate: true })
  const { id } = (await rest('POST', servers, body())).json as Row // border: as above
  const update = 'proxmox-backup-manager acl update /datastore'
  const says = `Run on the server: ${update} DatastoreAudit --auth-id '${tokenId}'; ${update} DatastoreAdmin --auth-id '${tokenId}' --delete true`
  expect((await read(id))['token_warning']).toContain(says)
  const tested = await command(['server', 'test', pbs.name])
  expect([tested.code, tested.stderr]).toEqual([0, expect.stringContaining(says)])
  pbs.state.acl.splice(0, pbs.state.acl.length, ...before)
  expect((await command(['server', 'test', pbs.name])).stderr).not.toContain('more privileges')
  expect((await read(id))['token_warning']).toBe('')
  expect((await rest('DELETE', `${servers}${id}/`)).status).toBe(204)
})

test('the same certificate under another name is a warning of the command that adds it', async () => {
  const { id } = (await rest('POST', servers, body())).json as Row // border: as above
  const { host, port, fingerprint, token_id, token_secret } = body()
  const connection = ['--host', host, '--port', String(port), '--fingerprint', fingerprint, '--token-id', token_id]
  const added = await command(['server', 'add', 'twin', ...connection, '--token-secret-file', '-'], token_secret)
  expect([added.code, added.stderr]).toEqual([
    0,
    expect.stringContaining(`twin: the same certificate is pinned for ${pbs.name}; if that is the same PBS`),
  ])
  expect((await command(['server', 'remove', 'twin', '--yes'])).code).toBe(0)
  expect((await command(['server', 'test', pbs.name])).stderr).not.toContain('the same certificate')
  expect((await rest('DELETE', `${servers}${id}/`)).status).toBe(204)
})

describe('a certificate that was renewed', () => {
  test('is pinned by the command, which says how the server is seen then; a read of it is started', async () => {
    const { id } = (await rest('POST', servers, body())).json as Row // border: as above
    await pbs.rotateCertificate()
    expect(await command(['server', 'test', pbs.name])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(pbs.fingerprint),
    })
    const red = {
      status: { value: 'unreachable' },
      tls_state: { value: 'fingerprint_changed' },
      presented_fingerprint: pbs.fingerprint,
    }
    expect(await read(id)).toMatchObject(red)

    const output = await command(['server', 'pin', pbs.name])
    expect(output).toMatchObject({ code: 2, stderr: expect.stringMatching(/presented: [0-9a-f:]{95}\n.*add --yes/) })
    expect(await read(id)).toMatchObject(red)

    const before = (await runs()).count
    expect(await command(['server', 'pin', pbs.name, '--yes'])).toMatchObject({
      code: 0,
      stdout: `pinned the certificate of ${pbs.name}: Reachable, TLS OK\n`,
    })
    expect(await read(id)).toMatchObject({
      status: { value: 'reachable' },
      tls_state: { value: 'ok' },
      last_error: '',
      fingerprint: pbs.fingerprint,
    })
    const { count, results } = await runs()
    expect(count).toBe(before + 1)
    expect(await runEnded(system, Math.max(...results.map((run) => run.id)))).toMatchObject({
      status: { value: 'completed' },
    })
    expect(await command(['server', 'pin', pbs.name, '--yes'])).toMatchObject({
      stdout: expect.stringContaining('already'),
    })
  })

  test('is pinned by its test, next to the pinned one and after a question', async () => {
    const { fingerprint: pinned } = pbs
    await pbs.rotateCertificate()
    const testAndPin = ['server', 'test', pbs.name, '--pin']
    const both = `pinned:    ${pinned}\npresented: ${pbs.fingerprint}\n`
    expect(await command(testAndPin)).toEqual({
      code: 2,
      stdout: '',
      stderr: `${both}Pin the presented certificate of ${pbs.name}? Compare it with the server first. There is no terminal to ask on: add --yes to confirm\n`,
    })
    const onTerminal = (args: ReadonlyArray<string>, answer: string) =>
      netboxPbsOnTerminal([...args, '--url', system.url, '--token', system.token], answer)
    const declined = await onTerminal(testAndPin, 'n\n')
    expect(declined).toEqual({
      code: 1,
      shown: expect.stringMatching(/Pin [\s\S]*\[y\/N\] [\s\S]*nothing was changed/),
    })
    const [row] = ((await rest('GET', servers)).json as { results: ReadonlyArray<Row> }).results // border: as above
    expect(row).toMatchObject({ fingerprint: pinned, tls_state: { value: 'fingerprint_changed' } })

    const reachable = `${pbs.name}: reachable, PBS ${pbs.state.version}.${pbs.state.release}, fingerprint ${pbs.fingerprint}`
    const agreed = await onTerminal(testAndPin, 'yes\n')
    expect(agreed).toEqual({ code: 0, shown: expect.stringContaining(`pinned the certificate of ${pbs.name}\r\n`) })
    expect(agreed.shown).toContain(reachable)
    expect(await read(row?.id ?? 0)).toMatchObject({ fingerprint: pbs.fingerprint, tls_state: { value: 'ok' } })
    // Without another certificate there is no question.
    expect(await command(testAndPin)).toEqual({ code: 0, stdout: `${reachable}\n`, stderr: '' })
    expect(await onTerminal(['server', 'remove', pbs.name], 'n\n')).toEqual({
      code: 1,
      shown: expect.stringMatching(/Remove pbs-a with \d+ datastores[\s\S]*nothing was changed/),
    })
    expect((await read(row?.id ?? 0)).name).toBe(pbs.name)
  })

  test('set changes the rest; what needs the secret asks for it and is tried first', async () => {
    const wrong = await command(
      ['server', 'set', pbs.name, '--host', 'localhost', '--token-secret-file', '-'],
      'not-the-secret',
    )
    expect(wrong).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/rejects the API token[\s\S]*nothing was changed/),
    })
    expect(await command(['server', 'set', pbs.name, '--host', 'localhost'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--token-secret-file is missing'),
    })
    const moved = ['server', 'set', pbs.name, '--host', 'localhost', '--no-verify-ssl', '--token-secret-file', '-']
    expect(await command(moved, pbs.tokens.audit.secret)).toMatchObject({
      code: 0,
      stdout: `changed ${pbs.name}: Reachable, TLS OK\n`,
    })
    expect(await command(['server', 'set', pbs.name, '--verify-ssl', '--timeout', '7'])).toMatchObject({ code: 0 })
    const [row] = ((await rest('GET', servers)).json as { results: ReadonlyArray<Row> }).results // border: as above
    expect(row).toMatchObject({ host: 'localhost', verify_ssl: true, fingerprint: pbs.fingerprint, timeout_seconds: 7 })
    // A sync of the servers takes what the gateway has.
    await syncAndWait(system, { resources: ['servers'] })
    expect(await read(row?.id ?? 0)).toMatchObject({ host: 'localhost', timeout_seconds: 7 })
  })
})

test('a thief with a writing token has neither a secret nor the key of the gateway sent anywhere', async () => {
  const [row] = ((await rest('GET', servers)).json as { results: ReadonlyArray<Row> }).results // border: as above
  const at = `${servers}${row?.id}/`
  for (const change of [
    { port: thief.port, fingerprint: thief.fingerprint },
    { host: thief.host, port: thief.port, fingerprint: '', verify_ssl: false },
  ]) {
    expect(await rest('PATCH', at, change)).toMatchObject({ status: 400, json: { token_secret: [expect.any(String)] } })
    expect(await rest('POST', `${at}test/`, change)).toMatchObject({ status: 400 })
  }
  await rest('POST', `${at}test/`, {})
  expect([thief.handshakes(), thief.received()]).toEqual([0, ''])

  const chunks: Array<string> = []
  const plain = createServer((socket) =>
    socket.on('data', (chunk) => chunks.push(chunk.toString('latin1'))).on('error', () => socket.destroy()),
  )
  await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve))
  const address = plain.address()
  const proxbox_api_url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  const settings = '/api/plugins/pbs/settings/'
  try {
    expect(
      (await rest('PATCH', settings, { proxbox_api_url: system.gatewayUrl, proxbox_api_key: system.gatewayKey }))
        .status,
    ).toBe(200)
    expect(await rest('PATCH', settings, { proxbox_api_url })).toMatchObject({
      status: 400,
      json: { proxbox_api_key: [expect.any(String)] },
    })
    expect((await rest('PATCH', settings, { proxbox_api_url: '' })).status).toBe(200)
    expect((await rest('PATCH', settings, { proxbox_api_url })).status).toBe(400)
    await rest('POST', `${at}test/`, {})
    expect(chunks.join('')).toBe('')
  } finally {
    await new Promise((resolve) => plain.close(resolve))
  }
})
