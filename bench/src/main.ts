import { parseArgs } from 'node:util'
import { benchmarks } from './benchmarks.ts'
import { measure } from './measure.ts'
import { jsonLine, table } from './report.ts'

// `bench <name> [--rows N] [--repeat N]`: results as JSON lines on stdout, a table for people on stderr.
const { values, positionals } = parseArgs({
  args: process.argv.slice(2).filter((argument) => argument !== '--'),
  allowPositionals: true,
  options: { rows: { type: 'string', default: '1000000' }, repeat: { type: 'string', default: '3' } },
})
const rows = Number(values.rows)
const repeat = Number(values.repeat)
const [name = ''] = positionals
const benchmark = benchmarks[name]

if (benchmark === undefined || !Number.isSafeInteger(rows) || rows < 1 || !Number.isSafeInteger(repeat) || repeat < 1) {
  process.stderr.write(`Usage: bench <${Object.keys(benchmarks).join('|')}> [--rows N] [--repeat N]\n`)
  process.exitCode = 2
} else {
  const results = []
  for (const one of benchmark(rows)) {
    const result = await measure(name, one, repeat)
    process.stdout.write(`${jsonLine(result)}\n`)
    results.push(result)
  }
  process.stderr.write(table(results))
}
