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
  // Listening before anything starts: whoever reads the first line may send a signal at once.
  const interrupted = new Promise<void>((resolve) => {
    process.once('SIGINT', resolve)
    process.once('SIGTERM', resolve)
  })
  const running = await run(parsed.flags, print)
  await interrupted
  await running.close()
}

main().catch((error: unknown) => {
  process.stderr.write(`simulator: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
})
