import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ControlServer, startControlServer } from '../src/control/control-server.ts'
import { countSnapshots, type Fleet, startFleet } from '../src/index.ts'
import { ask, readSorted } from './client.ts'

const options = { servers: 3, snapshots: 1000, seed: 9, host: '127.0.0.1', now: 1_780_358_400, failureDelayMs: 0 }
let fleet: Fleet
let control: ControlServer

beforeAll(async () => {
  fleet = await startFleet(options)
  control = await startControlServer(fleet, 0)
})
afterAll(async () => {
  await control.close()
  await fleet.close()
})

const steer = async (method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> => {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) }
  const response = await fetch(`${control.url}${path}`, init)
  return { status: response.status, body: await response.json() }
}

const server = (index: number) => {
  const found = fleet[index]
  if (found === undefined) throw new Error(`no server ${index}`)
  return found
}

describe('a fleet', () => {
  test('has names, releases and exactly so many snapshots', () => {
    expect(fleet.map(({ name, state }) => [name, state.version])).toEqual([
      ['pbs-a', '4.2'],
      ['pbs-b', '3.2'],
      ['pbs-c', '4.2'],
    ])
    expect(fleet.reduce((sum, { state }) => sum + countSnapshots(state), 0)).toBe(1000)
    expect(fleet.servers).toEqual([...fleet])
  })

  test('shows stores that cannot be read on all servers but the first', async () => {
    const stores = async (index: number) =>
      (await readSorted(server(index), '/admin/datastore', 'store')).map(({ store }) => store)
    expect(await stores(0)).toEqual(['archive', 'fresh', 'tank', 'vault'])
    expect(await stores(1)).toEqual(['archive', 'cold', 'fresh', 'tank', 'vault'])
    expect(await stores(2)).toEqual(['archive', 'bucket', 'cold', 'fresh', 'tank', 'usb1', 'vault'])
  })

  test('follows from its seed: facts, secrets and fingerprints', async () => {
    const twin = await startFleet(options)
    expect(twin.map(({ state, fingerprint, tokens }) => ({ state, fingerprint, tokens }))).toEqual(
      fleet.map(({ state, fingerprint, tokens }) => ({ state, fingerprint, tokens })),
    )
    await twin.close()
  })

  test('does not start half: a taken port ends what was started', async () => {
    const taken = server(0).port
    await expect(startFleet({ ...options, servers: 2, ports: [0, taken] })).rejects.toThrow('EADDRINUSE')
  })
})

describe('the control API', () => {
  test('lists the servers', async () => {
    const { body } = await steer('GET', '/control/servers')
    expect(body).toMatchObject([{ name: 'pbs-a', port: server(0).port, fingerprint: server(0).fingerprint }, {}, {}])
  })

  test('tells the state without secrets', async () => {
    const { body } = await steer('GET', '/control/state?server=pbs-a')
    expect(body).toMatchObject([{ name: 'pbs-a', snapshots: 334 }])
    expect(JSON.stringify(body)).not.toContain(server(0).tokens.audit.secret)
  })

  test('adds and clears faults', async () => {
    const fault = { server: 'pbs-b', kind: 'status', status: 503, match: { path: { pattern: '^/version$' } } }
    expect(await steer('POST', '/control/faults', fault)).toEqual({ status: 200, body: { servers: ['pbs-b'] } })
    expect((await ask(server(1), '/version')).status).toBe(503)
    expect((await ask(server(0), '/version')).status).toBe(200)
    await steer('DELETE', '/control/faults')
    expect((await ask(server(1), '/version')).status).toBe(200)
  })

  test('evolves and changes', async () => {
    const { body } = await steer('POST', '/control/evolve', { server: 'pbs-c', seed: 2 })
    expect(body).toMatchObject([{ name: 'pbs-c', added: expect.any(Number) }])
    const operation = { server: 'pbs-c', operation: 'removeStore', store: 'bucket' }
    expect((await steer('POST', '/control/operations', operation)).status).toBe(200)
    expect((await steer('POST', '/control/operations', operation)).status).toBe(400)
  })

  test('changes when a request arrives', async () => {
    const on = { path: { pattern: '/groups$' }, after: 1 }
    const group = { store: 'tank', ns: '', backupType: 'vm', backupId: 'late' }
    const operation = { server: 'pbs-c', operation: 'addSnapshot', ...group, backupTime: 1_700_000_000, on }
    expect((await steer('POST', '/control/operations', operation)).status).toBe(200)
    const seen: boolean[] = []
    for (let requested = 0; requested < 2; requested += 1)
      seen.push((await ask(server(2), '/admin/datastore/tank/groups')).text.includes('"late"'))
    expect(seen).toEqual([false, true])
  })

  test('tells what was asked', async () => {
    const { body } = await steer('GET', '/control/requests?server=pbs-a')
    expect(body).toMatchObject([{ name: 'pbs-a', counts: { requests: expect.any(Number) } }])
  })

  test.each([
    ['POST', '/control/faults', { kind: 'explode' }, 400],
    ['POST', '/control/faults', { kind: 'hang', match: { path: { pattern: '(' } } }, 400],
    ['POST', '/control/evolve', { server: 'pbs-z' }, 400],
    ['POST', '/control/evolve', { speed: 2 }, 400],
    ['GET', '/control/nonsense', undefined, 404],
  ])('%s %s %j is %i', async (method, path, body, status) => {
    expect((await steer(method, path, body)).status).toBe(status)
  })
})

describe('the command', () => {
  const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
  const start = (...flags: string[]) => {
    const child = spawn(process.execPath, ['--conditions=source', '--import', 'tsx', main, ...flags])
    let [out, err] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString()
    })
    return { child, output: () => ({ out, err }) }
  }

  test.each(['SIGINT', 'SIGTERM'] as const)('runs until %s', async (signal) => {
    const { child, output } = start('--servers', '2', '--snapshots', '100', '--control-port', '0', '--evolve', '60')
    while (!output().out.includes('control API')) await once(child.stdout, 'data')
    child.kill(signal)
    expect(await once(child, 'close')).toEqual([0, null])
    expect(output().out).toMatch(
      /^pbs-a {2}PBS 4\.2\.3\n {2}address {6}127\.0\.0\.1:\d+\n {2}token id {5}inventory@pbs!reader\n {2}token secret [0-9a-f-]{36}\n {2}fingerprint {2}(?:[0-9a-f]{2}:){31}[0-9a-f]{2}\npbs-b {2}PBS 3\.2\.4\n/,
    )
  })

  test('refuses wrong flags with code 2', async () => {
    const { child, output } = start('--servers', 'none')
    expect(await once(child, 'close')).toEqual([2, null])
    expect(output()).toEqual({
      out: '',
      err: `option '--servers <number>' argument 'none' is invalid. It must be a whole number from 1 to 200; see "simulator --help"\n`,
    })
  })
})
