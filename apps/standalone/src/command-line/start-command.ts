import {
  allowedHostFlag,
  basePathFlag,
  filled,
  type LogFormat,
  logFormatFlag,
  newCommand,
  port,
  statementTimeoutFlag,
  trustedProxyFlag,
  wholeNumber,
} from '@netbox-pbs/app-shell'
import type { Command } from 'commander'
import { Effect } from 'effect'
import { defaultDataDir } from '../config.ts'
import type { Choose } from '../failures.ts'
import type { StartOptions } from '../start/start.ts'
import { progress } from '../terminal.ts'

interface Flags {
  readonly host: string
  readonly port: number
  readonly gatewayPort: number
  readonly allowedHost?: ReadonlyArray<string>
  readonly trustedProxy?: ReadonlyArray<string>
  readonly basePath: string
  readonly statementTimeout: number
  readonly dataDir?: string
  readonly logFormat: LogFormat
  readonly demo?: true
  readonly demoServers?: number
  readonly demoSnapshots?: number
  readonly seed?: number
}

/** `start`: the whole system in one process. */
export function startCommand(choose: Choose): Command {
  const command = newCommand('start', 'run gateway, worker and api in one process')
    .option('--host <address>', 'where api and gateway listen', filled, '127.0.0.1')
    .option('--port <port>', 'port of REST and pages; 0 takes a free one', port, 8000)
    .option('--gateway-port <port>', 'port of the gateway; 0 takes a free one', port, 8800)
    .addOption(allowedHostFlag())
    .addOption(trustedProxyFlag())
    .addOption(basePathFlag())
    .addOption(statementTimeoutFlag())
    .option(
      '--data-dir <folder>',
      `where database and keys lie (default: ${defaultDataDir}; a demo keeps nothing)`,
      filled,
    )
    .addOption(logFormatFlag())
    .option('--demo', 'add simulated servers and read them every minute')
    .option('--demo-servers <number>', 'how many (default: 3)', wholeNumber(1, 100))
    .option('--demo-snapshots <number>', 'over the whole fleet (default: 2000)', wholeNumber(0, 10_000_000))
    .option('--seed <number>', 'another seed, another fleet (default: 1)', wholeNumber(0, 2 ** 31 - 1))
  command.action((flags: Flags) => {
    const options = startOptions(command, flags)
    progress('starting netbox-pbs')
    choose(
      Effect.flatMap(
        Effect.promise(() => import('../start/start.ts')),
        ({ start }) => start(options),
      ),
    )
  })
  return command
}

function startOptions(command: Command, flags: Flags): StartOptions {
  const demoFlags = {
    '--demo-servers': flags.demoServers,
    '--demo-snapshots': flags.demoSnapshots,
    '--seed': flags.seed,
  }
  if (flags.demo === undefined)
    for (const [name, value] of Object.entries(demoFlags))
      if (value !== undefined) command.error(`option '${name}' goes with --demo: add it, or leave ${name} out`)
  if (flags.port !== 0 && flags.port === flags.gatewayPort)
    command.error(`options '--port' and '--gateway-port' are both ${flags.port}: choose another for one of them`)
  const { host, dataDir, gatewayPort, logFormat } = flags
  return {
    host,
    port: flags.port,
    gatewayPort,
    allowedHosts: flags.allowedHost ?? [],
    trustedProxies: flags.trustedProxy ?? [],
    basePath: flags.basePath,
    statementTimeoutSeconds: flags.statementTimeout,
    dataDir,
    logFormat,
    demo: flags.demo
      ? { servers: flags.demoServers ?? 3, snapshots: flags.demoSnapshots ?? 2000, seed: flags.seed ?? 1 }
      : null,
  }
}
