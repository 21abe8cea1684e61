import { parseFlags, usage } from './cli/parse-flags.ts'
import { run } from './cli/run.ts'

const print = (text: string): void => {
  process.stdout.write(text)
}

const main = async (): Promise<void> => {
  const parsed = parseFlags(process.argv.slice(2))
  if (!parsed.ok) {
    process.stderr.write(`simulator: ${parsed.message}\n`)
    process.exitCode = 2
    return
  }
  if (parsed.flags.help) return print(usage)
  const running = await run(parsed.flags, print)
  const stop = () => void running.close()
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
}

main().catch((error: unknown) => {
  process.stderr.write(`simulator: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
})
