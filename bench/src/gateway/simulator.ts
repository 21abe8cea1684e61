import { startSimulator } from '@netbox-pbs/pbs-simulator'
import { asPart } from '../child.ts'

/** The parts of the simulated server. */
export interface SimulatorTask {
  readonly snapshots: number
}

/** Where it listens, and a token that may read all of it. */
export interface SimulatorAnswer {
  readonly port: number
  readonly fingerprint: string
  readonly tokenId: string
  readonly secret: string
}

await asPart<SimulatorTask, SimulatorAnswer>(async ({ snapshots }) => {
  const simulator = await startSimulator({ name: 'pbs-a', snapshots, seed: 1, host: '127.0.0.1', port: 0 })
  process.once('disconnect', () => void simulator.close())
  const { tokenId, secret } = simulator.tokens.audit
  return { port: simulator.port, fingerprint: simulator.fingerprint, tokenId, secret }
})
