import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import type { CannotListen } from '@netbox-pbs/app-shell'
import { copyEmbedded, type Database } from '@netbox-pbs/store-postgres'
import { Effect, Runtime, type Scope } from 'effect'
import { z } from 'zod'
import { databaseName } from '../data-folder/contents.ts'
import { CannotRun } from '../failures.ts'
import { type LocalAddress, serveLocally } from '../local-service.ts'
import { copyPrefix } from './left-overs.ts'

/** What the running system answers: a copy of its database, or why there is none. */
const Answer = z.union([
  z.object({ folder: z.string(), keys_elsewhere: z.array(z.string()) }),
  z.object({ reason: z.string() }),
])
type Answer = z.infer<typeof Answer>

/** What is copied. */
export interface CopyOptions {
  readonly dataDir: string
  /** Variables from which the system has a key. */
  readonly keysElsewhere: ReadonlyArray<string>
  /** Why this system cannot be copied; null: it can. */
  readonly reason: string | null
}

/**
 * Lets other processes of this user ask for a copy of the embedded database, until the scope closes. It
 * is made in the data folder, and is removed when the process that asked ends its request. No content
 * leaves by it.
 */
export const serveCopies = ({
  dataDir,
  keysElsewhere,
  reason,
}: CopyOptions): Effect.Effect<LocalAddress, CannotListen, Scope.Scope | Database> =>
  Effect.gen(function* () {
    const runtime = yield* Effect.runtime<Database>()
    const copyTo = async (folder: string): Promise<Answer> => {
      if (reason !== null) return { reason }
      const copied = await copyEmbedded(join(folder, databaseName)).pipe(
        Effect.tapError(({ cause }) => Effect.logWarning('a copy for a backup failed', cause)),
        Effect.either,
        Runtime.runPromise(runtime),
      )
      return copied._tag === 'Left' ? { reason: copied.left.message } : { folder, keys_elsewhere: [...keysElsewhere] }
    }
    let stopping = false
    const answer: Parameters<typeof serveLocally>[0]['answer'] = async (_, response) => {
      const left = once(response, 'close')
      const folder = join(dataDir, `${copyPrefix}${randomUUID()}`)
      try {
        response.writeHead(200, { 'Content-Type': 'application/x-ndjson' })
        response.write(`${JSON.stringify(await copyTo(folder))}\n`)
        await left
      } finally {
        // A process that still reads it must not find half of it: the next start removes it.
        if (!stopping) await rm(folder, { recursive: true, force: true })
      }
    }
    const address = yield* serveLocally({ who: 'the service for backups', answer })
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        stopping = true
      }),
    )
    return address
  })

/** A copy that a running system keeps. */
export interface HeldCopy {
  readonly folder: string
  readonly keysElsewhere: ReadonlyArray<string>
  /** Aborted when the system no longer keeps it. */
  readonly released: AbortSignal
}

/** A copy of the database of a running system, which keeps it until the scope closes. */
export const askForCopy = ({ address, key }: LocalAddress): Effect.Effect<HeldCopy, CannotRun, Scope.Scope> =>
  Effect.gen(function* () {
    const released = new AbortController()
    const asked = yield* Effect.acquireRelease(
      Effect.sync(() =>
        request(address, { method: 'POST', headers: { Authorization: `Bearer ${key}` } }).on('error', () => undefined),
      ),
      (held) => Effect.sync(() => held.destroy()),
    )
    asked.once('close', () => released.abort(new Error('the running system has ended')))
    const answer = yield* Effect.tryPromise({
      try: async () => {
        asked.end()
        const response: IncomingMessage = (await once(asked, 'response'))[0] // border: Node's own event
        let text = ''
        await new Promise<void>((resolve, reject) => {
          response.setEncoding('utf8').on('data', (chunk: string) => {
            text += chunk
            if (text.endsWith('\n')) resolve()
          })
          response.once('close', () => reject(new Error('the answer was cut off')))
        })
        return Answer.parse(JSON.parse(text))
      },
      catch: (cause) =>
        new CannotRun({ message: 'the running system did not make a copy of its database: see its log', cause }),
    })
    if ('reason' in answer) return yield* new CannotRun({ message: answer.reason })
    return { folder: answer.folder, keysElsewhere: answer.keys_elsewhere, released: released.signal }
  })
