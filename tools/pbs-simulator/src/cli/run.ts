import { type ControlServer, startControlServer } from '../control/control-server.ts'
import { describeServer } from '../control/describe-server.ts'
import { startFleet } from '../fleet/start-fleet.ts'
import type { Flags } from './flags.ts'

/** A running fleet with its control API. */
export interface Running {
  readonly close: () => Promise<void>
}

const portsOf = ({ port, servers }: Flags): number[] =>
  Array.from({ length: servers }, (_, index) => (port === 0 ? 0 : port + index))

/** Starts what the flags say and tells `print` how to reach it, one block of lines per server. */
export const run = async (flags: Flags, print: (text: string) => void): Promise<Running> => {
  const { servers, snapshots, seed, host, profile } = flags
  const fleet = await startFleet({
    servers,
    snapshots,
    seed,
    host,
    ports: portsOf(flags),
    ...(profile === undefined ? {} : { profileMix: [profile] }),
  })
  let control: ControlServer | null = null
  try {
    if (flags.controlPort !== undefined) control = await startControlServer(fleet, flags.controlPort)
  } catch (error) {
    await fleet.close()
    throw error
  }
  for (const server of fleet) {
    const about = describeServer(server)
    print(`${about.name}  PBS ${about.version}\n`)
    print(`  address      ${about.host}:${about.port}\n`)
    print(`  token id     ${about.tokenId}\n`)
    print(`  token secret ${about.tokenSecret}\n`)
    print(`  fingerprint  ${about.fingerprint}\n`)
  }
  if (control !== null) print(`control API  ${control.url}/control/servers\n`)
  const step = () => {
    for (const server of fleet) server.evolve()
  }
  const timer = flags.evolve === undefined ? null : setInterval(step, flags.evolve * 1000)
  return {
    close: async () => {
      if (timer !== null) clearInterval(timer)
      await control?.close()
      await fleet.close()
    },
  }
}
