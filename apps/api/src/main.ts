import { runProcess, runService } from '@netbox-pbs/app-shell'
import { Effect } from 'effect'
import { readConfig } from './config.ts'
import { startApi } from './program.ts'
import { version } from './version.ts'

const program = Effect.gen(function* () {
  const config = yield* readConfig(process.argv.slice(2))
  const start = Effect.map(startApi(config), ({ url }) => ({
    facts: { url },
    announce: () => process.stdout.write(`The API listens on ${url}\n`),
  }))
  return yield* runService({ name: 'api', version, logFormat: config.logFormat, start })
})

runProcess(program)
