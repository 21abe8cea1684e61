import type { Command } from 'commander'
import { Effect } from 'effect'
import { defaultDataDir } from '../config.ts'
import type { Task } from '../failures.ts'
import { needRemote, type RemoteFlags } from '../remote/find-remote.ts'
import type { Remote } from '../remote/remote-api.ts'
import { filled } from './command.ts'

/** The flags by which a command finds the system it talks to. */
export const remoteFlags = (command: Command): Command =>
  command
    .option('--data-dir <folder>', 'the data folder of the running system', filled, defaultDataDir)
    .option('--url <url>', 'another system instead, with its token')
    .option('--token-file <file>', 'the file that holds the token for --url; - is standard input')
    .option('--token <token>', 'the token itself; only use it where no other user can see the command line')

/** Work on a running system. */
export const withRemote = (flags: RemoteFlags, work: (system: Remote) => Task): Task =>
  Effect.flatMap(needRemote(flags), work)
