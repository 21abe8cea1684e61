import { flagsOrExit, newCommand, wholeNumber } from '@netbox-pbs/app-shell'
import type { CrashOptions } from './crash-plan.ts'
import { crash } from './crash-run.ts'

const most = Number.MAX_SAFE_INTEGER
const command = newCommand('crash', 'kill workers and the database during syncs, and judge the result')
  .option('--servers <count>', 'simulated servers', wholeNumber(1, 1000), 8)
  .option('--snapshots <count>', 'over the whole fleet', wholeNumber(1, most), 100_000)
  .option('--kills <count>', 'of workers', wholeNumber(0, most), 50)
  .option('--restarts <count>', 'crashes of the database', wholeNumber(0, most), 5)
  .option('--gateway-kills <count>', 'of gateways', wholeNumber(0, most), 0)
  .option('--per-round <count>', 'of all these in one sync, at most', wholeNumber(1, most), 6)
  .option('--seed <number>', 'another seed, another plan', wholeNumber(0, most), 1)

const options = { ...flagsOrExit<Omit<CrashOptions, 'quietFirst'>>(command), quietFirst: false }
// The started processes end with this process.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
const started = performance.now()
const stamped = (line: string) => {
  process.stdout.write(`${((performance.now() - started) / 1000).toFixed(1).padStart(7)} s  ${line}\n`)
}
const { faults, recoveries, ...counted } = await crash(options, stamped)
const seconds = recoveries.map((millis) => Math.round(millis / 1000)).sort((a, b) => a - b)
stamped(
  `${counted.kills} kills in ${counted.rounds} syncs, ${counted.looks} looks, ${counted.between} of them with some scopes landed and some not; ` +
    `from a sync's last kill to its end ${seconds[0] ?? 0} to ${seconds.at(-1) ?? 0} s, median ${seconds[Math.floor(seconds.length / 2)] ?? 0} s`,
)
for (const fault of faults) stamped(`FAULT ${fault}`)
stamped(faults.length === 0 ? 'every promise held' : 'a promise was broken')
process.exitCode = faults.length === 0 ? 0 : 1
