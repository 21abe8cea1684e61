import { parseArgs } from 'node:util'
import { crash } from './crash-run.ts'

const usage =
  'crash [--servers 8] [--snapshots 100000] [--kills 50] [--restarts 5] [--gateway-kills 0] [--per-round 6] [--seed 1]'
const text = { type: 'string' } as const
const flags = {
  servers: { ...text, default: '8' },
  snapshots: { ...text, default: '100000' },
  kills: { ...text, default: '50' },
  restarts: { ...text, default: '5' },
  'gateway-kills': { ...text, default: '0' },
  'per-round': { ...text, default: '6' },
  seed: { ...text, default: '1' },
} as const

function readFlags() {
  const { values } = parseArgs({ args: process.argv.slice(2).filter((argument) => argument !== '--'), options: flags })
  const number = (name: keyof typeof flags, least: number) => {
    const value = Number(values[name])
    if (!Number.isSafeInteger(value) || value < least)
      throw new TypeError(`--${name} ${values[name]} is not a number from ${least} on`)
    return value
  }
  return {
    servers: number('servers', 1),
    snapshots: number('snapshots', 1),
    kills: number('kills', 0),
    restarts: number('restarts', 0),
    gatewayKills: number('gateway-kills', 0),
    perRound: number('per-round', 1),
    quietFirst: false,
    seed: number('seed', 0),
  }
}

function optionsOrExit() {
  try {
    return readFlags()
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause
    process.stderr.write(`${cause.message}\nUsage: ${usage}\n`)
    return process.exit(2)
  }
}

const options = optionsOrExit()
// The started processes end with this process.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
const started = performance.now()
const stamped = (line: string) => {
  process.stdout.write(`${((performance.now() - started) / 1000).toFixed(1).padStart(7)} s  ${line}\n`)
}
const { faults, recoveries, ...counted } = await crash(options, stamped)
const seconds = recoveries.map((millis) => Math.round(millis / 1000)).sort((a, b) => a - b)
stamped(
  `${counted.blows} blows in ${counted.rounds} syncs, ${counted.looks} looks, ${counted.between} of them with some scopes landed and some not; ` +
    `from a sync's last blow to its end ${seconds[0] ?? 0} to ${seconds.at(-1) ?? 0} s, median ${seconds[Math.floor(seconds.length / 2)] ?? 0} s`,
)
for (const fault of faults) stamped(`FAULT ${fault}`)
stamped(faults.length === 0 ? 'every promise held' : 'a promise was broken')
process.exitCode = faults.length === 0 ? 0 : 1
