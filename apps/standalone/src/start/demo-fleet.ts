import { startFleet } from '@netbox-pbs/pbs-simulator'
import { Effect, Schedule } from 'effect'
import { z } from 'zod'
import { CannotRun } from '../failures.ts'
import { call, type Remote } from '../remote/remote-api.ts'
import { progress } from '../terminal.ts'
import type { StartOptions } from './options.ts'

/** How often the simulated fleet lives on and is read again. */
const beat = '1 minute'

/** A minute of the demo is an hour of the fleet, until it has caught up with the clock. */
const stepSeconds = 3600
const behindSeconds = 12 * 3600

const epochNow = (): number => Math.floor(Date.now() / 1000)

/** Simulated servers on loopback ports, until the scope closes; a minute brings new backups, prunes and job runs. */
export const demoFleet = ({ demoServers, demoSnapshots, seed }: StartOptions) =>
  Effect.gen(function* () {
    progress('starting simulated PBS servers')
    const fleet = yield* Effect.acquireRelease(
      Effect.tryPromise({
        try: () =>
          startFleet({
            servers: demoServers,
            snapshots: demoSnapshots,
            seed,
            host: '127.0.0.1',
            now: epochNow() - behindSeconds,
          }),
        catch: (cause) => new CannotRun({ message: 'the simulated servers did not start', cause }),
      }),
      ({ close }) => Effect.promise(() => close()),
    )
    yield* Effect.sync(() => {
      for (const server of fleet) {
        server.evolve({ now: Math.min(server.state.now + stepSeconds, epochNow()), jobRuns: 0.3 })
      }
    }).pipe(Effect.schedule(Schedule.spaced(beat)), Effect.forkScoped)
    return fleet
  })

/** Connects the simulated servers as an operator would, over REST, and has them read every minute. Servers of an earlier demo are connected anew. */
export const registerDemoFleet = (
  remote: Remote,
  servers: ReadonlyArray<{
    readonly name: string
    readonly host: string
    readonly port: number
    readonly fingerprint: string
    readonly tokens: { readonly audit: { readonly tokenId: string; readonly secret: string } }
  }>,
) =>
  Effect.gen(function* () {
    const path = '/api/plugins/pbs/servers/'
    yield* Effect.forEach(servers, ({ name, host, port, fingerprint, tokens }) =>
      Effect.gen(function* () {
        progress(`connecting ${name}`)
        const body = {
          name,
          host,
          port,
          fingerprint,
          verify_ssl: true,
          token_id: tokens.audit.tokenId,
          token_secret: tokens.audit.secret,
        }
        const page = z.object({ results: z.array(z.object({ id: z.int() })) })
        const known = yield* call(remote)({
          method: 'GET',
          path: `${path}?name=${encodeURIComponent(name)}`,
          answer: page,
        })
        const [first] = known.results
        yield* first === undefined
          ? call(remote)({ method: 'POST', path, body, answer: z.unknown() })
          : call(remote)({ method: 'PATCH', path: `${path}${first.id}/`, body, answer: z.unknown() })
      }),
    )
    yield* call(remote)({
      method: 'PATCH',
      path: '/api/plugins/pbs/settings/',
      body: { sync_interval_minutes: 1 },
      answer: z.unknown(),
    })
    progress('')
  })
