import { runProcess, runService } from '@netbox-pbs/app-shell'
import { Effect } from 'effect'
import manifest from '../package.json' with { type: 'json' }
import { readConfig } from './config.ts'
import { startWorker } from './program.ts'

const program = Effect.gen(function* () {
  const config = yield* readConfig(process.argv.slice(2))
  const { concurrency, logFormat } = config
  const start = Effect.gen(function* () {
    yield* Effect.forkScoped(yield* startWorker(config))
    return {
      facts: { concurrency },
      announce: () => process.stdout.write(`The worker takes up to ${concurrency} jobs at a time\n`),
    }
  })
  return yield* runService({ name: 'worker', version: manifest.version, logFormat, start })
})

runProcess(program)
