import { runProcess } from '@netbox-pbs/app-shell'
import { Effect } from 'effect'
import { readConfig } from './config.ts'
import { startWorker } from './program.ts'

const program = Effect.scoped(
  Effect.gen(function* () {
    const config = yield* readConfig(process.argv.slice(2))
    const work = yield* startWorker(config)
    process.stdout.write(`The worker takes up to ${config.concurrency} jobs at a time\n`)
    return yield* work
  }),
)

runProcess(program)
