import { filled, newCommand, port, readFlags as readFlagsOf, WrongUsage, wholeNumber } from '@netbox-pbs/app-shell'
import { Option } from 'commander'
import { Effect } from 'effect'
import manifest from '../../package.json' with { type: 'json' }
import { type ControlServer, startControlServer } from '../control/control-server.ts'
import { describeServer } from '../control/describe-server.ts'
import { startFleet } from '../fleet/start-fleet.ts'
import { type Profile, profiles } from '../state/profile.ts'

/** A running fleet with its control API. */
interface Running {
  readonly close: () => Promise<void>
}

const portsOf = ({ port, servers }: Flags): number[] =>
  Array.from({ length: servers }, (_, index) => (port === 0 ? 0 : port + index))

/** Starts the fleet of the flags and passes `print` the connections, one block of lines per server. */
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

/** The checked flags of the `simulator` command. */
interface Flags {
  readonly servers: number
  readonly snapshots: number
  readonly seed: number
  readonly host: string
  /** First port; 0 takes free ones. */
  readonly port: number
  /** Absent: no control API. 0 takes a free port. */
  readonly controlPort?: number
  /** Absent: the fleet's own mix of releases. */
  readonly profile?: Profile
  /** Seconds between two steps of time; absent: the state never changes. */
  readonly evolve?: number
}

const simulatorCommand = () =>
  newCommand('simulator', 'run simulated Proxmox Backup Servers until it is interrupted', manifest.version)
    .option('--servers <number>', 'how many', wholeNumber(1, 200), 3)
    .option('--snapshots <number>', 'snapshots of all servers together', wholeNumber(0, 100_000_000), 2000)
    .option('--seed <number>', 'another seed is another fleet', wholeNumber(0, 2_147_483_647), 1)
    .option('--host <address>', 'where to listen', filled, '127.0.0.1')
    .option('--port <port>', 'port of the first server, the next ones follow; 0 takes free ports', port, 0)
    .option('--control-port <port>', 'plain HTTP control API on loopback; 0 takes a free port (default: none)', port)
    .addOption(new Option('--profile <release>', 'all servers of one release (default: a mix)').choices([...profiles]))
    .option(
      '--evolve <seconds>',
      'let a simulated day pass every so many seconds (default: never)',
      wholeNumber(1, 86_400),
    )

/** Checks the command line (without the program's own name). */
export const readFlags = (args: ReadonlyArray<string>): Effect.Effect<Flags, WrongUsage> =>
  Effect.filterOrFail(
    readFlagsOf<Flags>(simulatorCommand(), args),
    ({ port, servers }) => port === 0 || port + servers - 1 <= 65_535,
    ({ port, servers }) =>
      new WrongUsage({ message: `--port ${port} is too high for ${servers} servers: their ports would exceed 65535.` }),
  )
