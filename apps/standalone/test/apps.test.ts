import { postgresUrl } from '@netbox-pbs/testing'
import { afterAll, expect, test, vi } from 'vitest'
import { fromSources, onlyLog, SystemProcess } from './support/process.ts'
import { allRows, request, syncAndWait } from './support/rest.ts'

// Real processes on a machine that may be busy with other tests.
vi.setConfig({ testTimeout: 120_000 })

const key = (fill: number): string => Buffer.alloc(32, fill).toString('base64')
const token = 'nbt_appsontheiro.0123456789012345678901234567890123456789'
const gatewayKey = 'a-gateway-key-of-enough-characters'

const running: Array<SystemProcess> = []
afterAll(() => {
  for (const process of running) process.kill()
})
const start = (...[name, args, env]: [Parameters<typeof SystemProcess.start>[0], string[], Record<string, string>]) => {
  const started = SystemProcess.start(name, args, { env, from: fromSources })
  running.push(started)
  return started
}
const listens = async (process: SystemProcess): Promise<string> => (await process.line(/listens on (\S+)$/))[1] ?? ''

test('each app on its own: a gateway, two workers and two apis on one PostgreSQL read a simulated server', async () => {
  const database = { DATABASE_URL: await postgresUrl() }
  const simulator = start('simulator', ['--servers', '2', '--snapshots', '200'], {})
  const gateway = start('gateway', ['--port', '0'], {
    ...database,
    NETBOX_PBS_GATEWAY_SECRET_KEY: key(1),
    NETBOX_PBS_GATEWAY_KEY: gatewayKey,
  })
  const shared = {
    ...database,
    NETBOX_PBS_SECRET_KEY: key(2),
    NETBOX_PBS_GATEWAY_URL: await listens(gateway),
    NETBOX_PBS_GATEWAY_KEY: gatewayKey,
  }
  // All four migrate the same empty database at once.
  const workers = [1, 2].map(() => start('worker', [], shared))
  const apis = [1, 2].map(() => start('api', ['--port', '0'], { ...shared, NETBOX_PBS_BOOTSTRAP_TOKEN: token }))
  await Promise.all(workers.map((worker) => worker.line(/^The worker takes/)))
  const [one, two] = (await Promise.all(apis.map(listens))).map((url) => ({ url, token }))
  if (one === undefined || two === undefined) throw new Error('two were started')

  const fact = async (name: string) => (await simulator.line(new RegExp(`^ +${name} +(\\S+)$`)))[1] ?? ''
  for (const name of ['pbs-a', 'pbs-b']) {
    const [host, port] = (await fact('address')).split(':')
    const body = {
      name,
      host,
      port: Number(port),
      token_id: await fact('token id'),
      token_secret: await fact('token secret'),
      fingerprint: await fact('fingerprint'),
    }
    expect(await request(one, 'POST', '/api/plugins/pbs/servers/', body)).toMatchObject({ status: 201 })
  }
  expect(await syncAndWait(one)).toMatchObject({ status: { value: 'completed' }, error: '' })
  const servers = await allRows(two, 'servers')
  expect(servers.map(({ name, status }) => ({ name, status }))).toEqual([
    { name: 'pbs-a', status: { value: 'reachable', label: 'Reachable' } },
    { name: 'pbs-b', status: { value: 'reachable', label: 'Reachable' } },
  ])
  const snapshots = await allRows(two, 'snapshots')
  expect(snapshots.length).toBeGreaterThanOrEqual(200)
  expect(await allRows(one, 'snapshots')).toEqual(
    snapshots.map((row) => JSON.parse(JSON.stringify(row).replaceAll(two.url, one.url))),
  )

  const [lost, kept] = workers
  expect(await lost?.stop()).toMatchObject({ code: 0 })
  expect(await syncAndWait(two)).toMatchObject({ status: { value: 'completed' }, counts: { created: 0, deleted: 0 } })
  for (const process of [kept, ...apis, gateway, simulator]) {
    expect(await process?.stop()).toMatchObject({ code: 0, stderr: onlyLog })
  }
})
