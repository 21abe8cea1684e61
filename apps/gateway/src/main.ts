import { runProcess, runService } from '@netbox-pbs/app-shell'
import { Effect } from 'effect'
import { readConfig } from './config.ts'
import { isLoopback } from './http/remote-address.ts'
import { version } from './http/version.ts'
import { startGateway } from './program.ts'

const program = Effect.gen(function* () {
  const config = yield* readConfig(process.argv.slice(2))
  const { host, logFormat } = config
  const start = Effect.gen(function* () {
    const { url } = yield* startGateway(config)
    if (host !== 'localhost' && !isLoopback(host))
      yield* Effect.logWarning(
        'It listens beyond this machine without TLS: put a TLS proxy before it, for keys pass in the clear.',
      )
    return { facts: { url }, announce: () => process.stdout.write(`The gateway listens on ${url}\n`) }
  })
  return yield* runService({ name: 'gateway', version, logFormat, start })
})

runProcess(program)
