import { resolve } from 'node:path'
import { Effect, Redacted } from 'effect'
import { syncNow } from '../commands/sync.ts'
import { environment } from '../config.ts'
import { leaveRunFile } from '../data-folder/run-file.ts'
import { asExpected, type CannotRun, type WrongUsage } from '../failures.ts'
import { system } from '../system.ts'
import { announce } from './announce.ts'
import { demoFleet, registerDemoFleet } from './demo-fleet.ts'
import { readKeys } from './keys.ts'
import type { StartOptions } from './options.ts'
import { privateFolder } from './private-folder.ts'

const defaultDataDir = './data'

/** Runs the system until it is told to stop. */
export const start = (options: StartOptions): Effect.Effect<void, WrongUsage | CannotRun> =>
  Effect.gen(function* () {
    const told = yield* environment
    const kept = options.dataDir ?? (options.demo ? null : defaultDataDir)
    const dataDir = kept === null ? null : resolve(kept)
    const folder = dataDir ?? (yield* privateFolder)
    const servers = options.demo ? yield* demoFleet(options) : []
    const running = yield* system({ ...told, ...options, dataDir, folder, keys: yield* readKeys(told, dataDir) })
    const token = running.token.token
    yield* leaveRunFile(folder, { address: running.url, token: Redacted.value(token), pid: process.pid })
    if (options.demo) {
      const remote = { address: running.url, token }
      yield* registerDemoFleet(remote, servers)
      yield* syncNow(remote, {})
    }
    announce(running)
    return yield* Effect.never
  }).pipe(Effect.scoped, asExpected)
