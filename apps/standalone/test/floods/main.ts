import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { flagsOrExit, newCommand, wholeNumber } from '@netbox-pbs/app-shell'
import { startSimulator } from '@netbox-pbs/pbs-simulator'
import { SystemProcess } from '../support/process.ts'
import { request } from '../support/rest.ts'
import { startFlooding } from './flooding-server.ts'
import { floods } from './floods.ts'

const { heapMb, only } = flagsOrExit<{ readonly heapMb: number; readonly only: string }>(
  newCommand('floods', 'let servers flood the whole system, and judge the result')
    .option('--heap-mb <megabytes>', 'heap of the system', wholeNumber(1, 1_000_000), 700)
    .option('--only <text>', 'the floods whose name has this text', ''),
)

const now = Math.floor(Date.now() / 1000)
const simulated = { failureDelayMs: 0, snapshots: 60, now }
const sound = await startSimulator({ ...simulated, name: 'pbs-sound', seed: 1 })
const behind = await Promise.all(
  [2, 3, 4, 5].map((seed) => startSimulator({ ...simulated, name: `pbs-flood-${seed}`, seed })),
)
const flooding = await Promise.all(behind.map(startFlooding))
const gatewayPort = await freePort()
const folder = mkdtempSync(join(tmpdir(), 'netbox-pbs-floods-'))
const dataDir = join(folder, 'data')
const system = SystemProcess.start(
  'netbox-pbs',
  ['start', '--data-dir', dataDir, '--port', '0', '--gateway-port', String(gatewayPort)],
  { env: { NODE_OPTIONS: `--max-old-space-size=${heapMb}` } },
)
process.once('exit', () => system.kill())

try {
  const [, url = ''] = await system.line(/^netbox-pbs ready: (\S+?)\/plugins\/pbs\/ /)
  const rest = { url, token: readFileSync(join(dataDir, 'token'), 'utf8').trim() }
  const gateway = `http://127.0.0.1:${gatewayPort}`
  const gatewayKey = readFileSync(join(dataDir, 'gateway-api.key'), 'utf8').trim()

  for (const [index, server] of [sound, ...behind].entries()) {
    const front = index === 0 ? sound : flooding[index - 1]
    const { status, json } = await request(rest, 'POST', '/api/plugins/pbs/servers/', {
      name: server.name,
      host: '127.0.0.1',
      port: front?.port,
      fingerprint: front?.fingerprint,
      token_id: server.tokens.audit.tokenId,
      token_secret: server.tokens.audit.secret,
    })
    if (status !== 201) throw new Error(`adding ${server.name} answered ${status}: ${JSON.stringify(json)}`)
    await fetch(`${gateway}/pbs/endpoints/${index + 1}`, {
      method: 'PUT',
      headers: { 'X-Proxbox-API-Key': gatewayKey },
      body: '{"timeout_seconds":5}',
    })
  }

  let faults = 0
  process.stdout.write('flood | run | sound server | s | MB taken | longest wait of a request, ms | peak RSS, MB\n')
  for (const flood of floods.filter(({ name }) => name.includes(only))) {
    // A drip comes from all four at once, as many as there are workers.
    for (const [index, server] of flooding.entries()) server.flood = index === 0 || flood.drips ? flood : null
    for (const server of flooding) server.takeBytes()
    const began = performance.now()
    const made = await request(rest, 'POST', '/api/plugins/pbs/sync-runs/', {})
    const { id } = made.json as { readonly id: number }
    let longest = 0
    let peak = 0
    let run: Run = { status: { value: 'pending' }, scopes: [] }
    while (!['completed', 'incomplete', 'failed', 'cancelled'].includes(run.status.value)) {
      if (!system.alive || performance.now() - began > 600_000) break
      await setTimeout(100)
      const started = performance.now()
      run = (await request(rest, 'GET', `/api/plugins/pbs/sync-runs/${id}/?limit=1000`)).json as Run
      longest = Math.max(longest, performance.now() - started)
      peak = Math.max(peak, residentMegabytes(system.pid))
    }
    const ofSound = run.scopes.filter(({ display }) => display.includes('pbs-sound'))
    const isSound = ofSound.every(({ outcome }) => ['landed', 'unchanged'].includes(outcome.value))
    const good = system.alive && isSound && ['completed', 'incomplete'].includes(run.status.value)
    if (!good) faults += 1
    const megabytes = flooding.reduce((sum, server) => sum + server.takeBytes(), 0) / 1e6
    process.stdout.write(
      `${flood.name} | ${system.alive ? run.status.value : 'THE PROCESS ENDED'} | ${isSound ? 'read' : 'NOT READ'} | ${Math.round((performance.now() - began) / 1000)} | ${megabytes.toFixed(1)} | ${Math.round(longest)} | ${peak}\n`,
    )
    if (!system.alive) {
      process.stdout.write(`${(await system.outcome()).stderr.slice(-2000)}\n`)
      break
    }
  }
  process.stdout.write(faults === 0 ? 'all well\n' : `${faults} floods did harm\n`)
  process.exitCode = faults === 0 ? 0 : 1
} finally {
  await system.stop('SIGKILL')
  for (const server of flooding) server.close()
  await Promise.all([sound, ...behind].map((server) => server.close()))
  rmSync(folder, { recursive: true, force: true })
}

interface Run {
  readonly status: { readonly value: string }
  readonly scopes: ReadonlyArray<{ readonly display: string; readonly outcome: { readonly value: string } }>
}

/** The memory that the process has now. */
function residentMegabytes(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Math.round(Number(found?.[1] ?? 0) / 1024)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
