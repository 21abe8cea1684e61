import { runProcess } from '@netbox-pbs/app-shell'
import { Effect } from 'effect'
import { readConfig } from './config.ts'
import { startApi } from './program.ts'

const program = Effect.scoped(
  Effect.gen(function* () {
    const { url } = yield* startApi(yield* readConfig(process.argv.slice(2)))
    process.stdout.write(`The API listens on ${url}\n`)
    return yield* Effect.never
  }),
)

runProcess(program)
