import { runProcess } from '@netbox-pbs/app-shell'
import { Effect } from 'effect'
import { readConfig } from './config.ts'
import { isLoopback } from './http/remote-address.ts'
import { startGateway } from './program.ts'

const program = Effect.scoped(
  Effect.gen(function* () {
    const config = yield* readConfig(process.argv.slice(2))
    const { url } = yield* startGateway(config)
    process.stdout.write(`The gateway listens on ${url}\n`)
    if (config.host !== 'localhost' && !isLoopback(config.host)) {
      process.stderr.write(
        'It listens beyond this machine without TLS: put a TLS proxy before it, for keys pass in the clear.\n',
      )
    }
    return yield* Effect.never
  }),
)

runProcess(program)
