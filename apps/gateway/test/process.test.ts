import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { startSimulator } from '@netbox-pbs/pbs-simulator'
import { builtPrograms, postgresUrl } from '@netbox-pbs/testing'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { key } from './running-gateway.ts'
import { addEndpoint, ended, syncFrames } from './simulated.ts'

const secretKey = (fill: number) => Buffer.alloc(32, fill).toString('base64')

const argumentsFor = await builtPrograms()

let databaseUrl: string
beforeAll(async () => {
  databaseUrl = await postgresUrl()
})

const running: Array<ChildProcessWithoutNullStreams> = []
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL')
})

const run = (args: ReadonlyArray<string>, env: Record<string, string>) => {
  const child = spawn(process.execPath, [...argumentsFor('gateway'), ...args], {
    env: {
      PATH: process.env['PATH'] ?? '',
      NETBOX_PBS_GATEWAY_DATABASE_URL: databaseUrl,
      NETBOX_PBS_GATEWAY_SECRET_KEY: secretKey(7),
      NETBOX_PBS_GATEWAY_KEY: key,
      ...env,
    },
  })
  running.push(child)
  return child
}

/** Starts the process and waits until it says where it listens. */
const started = async (env: Record<string, string> = {}) => {
  const child = run(['--port', '0'], env)
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /listens on (\S+)/.exec(line)?.[1]
    if (url !== undefined) return { child, url }
  }
  throw new Error('the gateway did not start')
}

/** Runs the process until it ends. */
const outcome = async (args: ReadonlyArray<string>, env: Record<string, string> = {}) => {
  const child = run(args, env)
  let stderr = ''
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  const [code] = await once(child, 'close')
  return [code, stderr.trimEnd()] as const
}

const stopped = async (child: ChildProcessWithoutNullStreams) => {
  const before = performance.now()
  child.kill('SIGTERM')
  const [code] = await once(child, 'close')
  return [code, performance.now() - before < 5000] as const
}

describe('the process', () => {
  test('keeps endpoints over a restart and reads a PBS with the stored secret', async () => {
    const pbs = await startSimulator({ snapshots: 60, failureDelayMs: 30 })
    try {
      const first = await started()
      const at = (url: string) => ({
        url,
        stop: async () => {},
        request: (path: string, { json, ...init }: RequestInit & { readonly json?: unknown } = {}) =>
          fetch(`${url}${path}`, {
            ...init,
            headers: { 'x-proxbox-api-key': key, ...init.headers },
            ...(json === undefined ? {} : { body: JSON.stringify(json) }),
          }),
      })
      await addEndpoint(at(first.url), pbs)
      const taken = await at(first.url).request('/pbs/endpoints', {
        method: 'POST',
        json: { name: 'pbs-a', host: 'x', token_id: 'a@pbs!b', token_secret: 's' },
      })
      expect([taken.status, await taken.json()]).toEqual([400, { detail: 'PBS endpoint name already exists' }])
      expect(await stopped(first.child)).toEqual([0, true])

      const second = await started()
      const frames = await syncFrames(at(second.url), 'snapshots')
      expect(ended(frames, 'failed')).toEqual([])
      expect(ended(frames, 'complete')).toContain('snapshots tank')
      expect(await stopped(second.child)).toEqual([0, true])
    } finally {
      await pbs.close()
    }
  })

  test('lives on after a secret that no URL can hold, for a server that refuses the connection', async () => {
    const { child, url } = await started()
    const body = { name: 'x', host: '127.0.0.1', port: 1, token_id: 'a@pbs!b', token_secret: '\ud800' }
    for (const [method, path] of [
      ['POST', '/pbs/endpoints/test'],
      ['POST', '/pbs/endpoints'],
    ]) {
      const response = await fetch(`${url}${path}`, {
        method: method ?? '',
        headers: { 'x-proxbox-api-key': key },
        body: JSON.stringify(body),
      })
      expect([response.status, await response.text()]).toEqual([422, expect.stringContaining('"token_secret"')])
    }
    expect([(await fetch(`${url}/health`)).status, child.exitCode]).toEqual([200, null])
    expect(await stopped(child)).toEqual([0, true])
  })

  test('says in one sentence why it cannot run', async () => {
    await started().then(({ child }) => stopped(child))
    expect(await outcome([], { NETBOX_PBS_GATEWAY_SECRET_KEY: secretKey(8) })).toEqual([
      1,
      'stored secrets cannot be read with this key: set NETBOX_PBS_GATEWAY_SECRET_KEY to the key they were stored under',
    ])
    expect(await outcome([], { NETBOX_PBS_GATEWAY_DATABASE_URL: 'postgres://u:hidden@127.0.0.1:1/none' })).toEqual([
      1,
      'PostgreSQL at 127.0.0.1:1/none cannot be reached: check that it runs and that the address is right',
    ])
    expect(await outcome([], { NETBOX_PBS_GATEWAY_SECRET_KEY: 'abc' })).toEqual([
      2,
      expect.stringMatching(/^NETBOX_PBS_GATEWAY_SECRET_KEY is not a key: /),
    ])

    const holder = createServer().listen(0, '127.0.0.1')
    await once(holder, 'listening')
    const address = holder.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    expect(await outcome(['--port', String(port)])).toEqual([
      1,
      `the gateway cannot listen on 127.0.0.1:${port}: the port is in use; stop what listens there or choose another with --port`,
    ])
    holder.close()
  })
})
