import { readFileSync } from 'node:fs'
import { filled, WrongUsage } from '@netbox-pbs/app-shell'
import type { Command } from 'commander'
import { Effect, Redacted } from 'effect'
import { defaultDataDir } from '../config.ts'
import { readRunFile } from '../data-folder/run-file.ts'
import { CannotRun, type Task } from '../failures.ts'
import type { Remote } from './remote-api.ts'

/** The flags by which a command finds the system it talks to. */
export interface RemoteFlags {
  readonly url?: string
  readonly token?: string
  readonly tokenFile?: string
  readonly dataDir: string
}

/** Adds them to a command. */
export const remoteFlags = (command: Command): Command =>
  command
    .option('--data-dir <folder>', 'the data folder of the running system', filled, defaultDataDir)
    .option('--url <url>', 'another system instead, with its token')
    .option('--token-file <file>', 'the file that holds the token for --url; - is standard input')
    .option('--token <token>', 'the token itself; only use it where no other user can see the command line')

/** The system named by `--url` and a token, else the one that runs on the data folder; null when there is none. */
export const findRemote = (flags: RemoteFlags): Effect.Effect<Remote | null, WrongUsage> =>
  Effect.gen(function* () {
    const { url, token, tokenFile, dataDir } = flags
    const tokenFlag = token === undefined ? '--token-file' : '--token'
    if (token !== undefined && tokenFile !== undefined)
      return yield* wrong('--token and --token-file are two tokens: give one of them')
    if (url === undefined) {
      if (token !== undefined || tokenFile !== undefined)
        return yield* wrong(`${tokenFlag} goes with --url: give the address of the system as well`)
      const run = readRunFile(dataDir)
      return run === null ? null : { address: run.address, token: Redacted.make(run.token) }
    }
    if (!/^https?:\/\/./.test(url) || !URL.canParse(url))
      return yield* wrong(`--url: ${url} is not an http or https URL; write it like http://127.0.0.1:8000`)
    const text = token ?? (tokenFile === undefined ? '' : yield* readTokenFile(tokenFile))
    if (text === '')
      return yield* wrong('--url goes with a token: name its file with --token-file, or give it with --token')
    if (!/^[\x21-\x7e]+$/.test(text)) return yield* wrong(`${tokenFlag}: that is not a token`)
    return { address: url, token: Redacted.make(text) }
  })

/** Work on a running system. */
export const withRemote = (flags: RemoteFlags, work: (system: Remote) => Task): Task =>
  Effect.flatMap(needRemote(flags), work)

/** The system to talk to; fails with the next step when there is none. */
const needRemote = (flags: RemoteFlags): Effect.Effect<Remote, WrongUsage | CannotRun> =>
  Effect.flatMap(findRemote(flags), (remote) =>
    remote === null
      ? new CannotRun({
          message: `no system runs on ${flags.dataDir}: start it with "netbox-pbs start", name its folder with --data-dir, or reach another with --url`,
        })
      : Effect.succeed(remote),
  )

const readTokenFile = (file: string): Effect.Effect<string, WrongUsage> =>
  Effect.try({
    try: () => readFileSync(file === '-' ? 0 : file, 'utf8').trim(),
    catch: () =>
      new WrongUsage({ message: `--token-file: cannot read ${file}; make it a file that this user may read` }),
  })

const wrong = (message: string) => new WrongUsage({ message })
