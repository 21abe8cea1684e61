import { Effect, Redacted } from 'effect'
import { readRunFile } from '../data-folder/run-file.ts'
import { CannotRun, WrongUsage } from '../failures.ts'
import type { Remote } from './remote-api.ts'

/** The flags by which a command finds the system it talks to. */
export interface RemoteFlags {
  readonly url?: string
  readonly token?: string
  readonly dataDir: string
}

/** The system named by `--url` and `--token`, else the one that runs on the data folder; null when there is none. */
export const findRemote = ({ url, token, dataDir }: RemoteFlags): Effect.Effect<Remote | null, WrongUsage> => {
  if (url === undefined && token === undefined) {
    const run = readRunFile(dataDir)
    return Effect.succeed(run === null ? null : { address: run.address, token: Redacted.make(run.token) })
  }
  if (url === undefined)
    return Effect.fail(new WrongUsage({ message: '--token goes with --url: give the address of the system as well' }))
  if (token === undefined)
    return Effect.fail(new WrongUsage({ message: '--url goes with --token: make one with "netbox-pbs token create"' }))
  if (!URL.canParse(url))
    return Effect.fail(new WrongUsage({ message: `--url: ${url} is not a URL; write it like http://127.0.0.1:8000` }))
  return Effect.succeed({ address: url, token: Redacted.make(token) })
}

/** The system to talk to; fails with the next step when there is none. */
export const needRemote = (flags: RemoteFlags): Effect.Effect<Remote, WrongUsage | CannotRun> =>
  findRemote(flags).pipe(
    Effect.flatMap((remote) =>
      remote === null
        ? Effect.fail(
            new CannotRun({
              message: `no system runs on ${flags.dataDir}: start it with "start", or reach another with --url and --token`,
            }),
          )
        : Effect.succeed(remote),
    ),
  )
