import { flagsOrExit } from '@netbox-pbs/app-shell'
import { benchCommand } from './benchmarks.ts'
import type { Result } from './measure.ts'
import { jsonLine, table } from './report.ts'

const chosen: Array<AsyncIterable<Result>> = []
flagsOrExit(benchCommand((results) => chosen.push(results)))

for (const results of chosen) {
  const all: Array<Result> = []
  for await (const result of results) {
    process.stdout.write(`${jsonLine(result)}\n`)
    all.push(result)
  }
  process.stderr.write(table(all))
}
