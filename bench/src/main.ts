import { benchmarks, WrongUsage } from './benchmarks.ts'
import { jsonLine, table } from './report.ts'

// `bench <name> [flags]`: results as JSON lines on stdout, a table for people on stderr.
const [name = '', ...args] = process.argv.slice(2).filter((argument) => argument !== '--')
const benchmark = Object.hasOwn(benchmarks, name) ? benchmarks[name] : undefined

try {
  if (benchmark === undefined) throw new WrongUsage(`${name === '' ? 'No benchmark' : name} is not one of them.`)
  const results = []
  for await (const result of benchmark.run(args)) {
    process.stdout.write(`${jsonLine(result)}\n`)
    results.push(result)
  }
  process.stderr.write(table(results))
} catch (error) {
  if (!(error instanceof WrongUsage)) throw error
  const usages = Object.entries(benchmarks).map(([known, { usage }]) => `bench ${known} ${usage}\n`)
  process.stderr.write(`${error.message}\nUsage: ${usages.join('       ')}`)
  process.exitCode = 2
}
