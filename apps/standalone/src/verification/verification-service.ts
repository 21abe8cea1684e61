import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { createInterface } from 'node:readline'
import type { CannotListen } from '@netbox-pbs/app-shell'
import {
  type CheckResult,
  type Database,
  type RepairResult,
  repairStored,
  verifyStored,
} from '@netbox-pbs/store-postgres'
import { Effect, Runtime, type Scope, Stream } from 'effect'
import { z } from 'zod'
import { CannotRun } from '../failures.ts'
import { type LocalAddress, serveLocally } from '../local-service.ts'
import type { StoredValues } from './stored-values.ts'

const Unread = z.object({ piece: z.string(), reason: z.string() })

const Verified = z.object({
  name: z.string(),
  table: z.string(),
  rule: z.string(),
  rows: z.int(),
  different: z.int(),
  differences: z.array(
    z.object({ id: z.int(), title: z.string(), field: z.string(), stored: z.unknown(), recount: z.unknown() }),
  ),
  unknown: z.int(),
  unread: z.array(Unread),
  advice: z.string().nullable(),
}) satisfies z.ZodType<CheckResult>

const Repaired = z.object({
  name: z.string(),
  table: z.string(),
  repaired: z.int(),
  rows: z.array(z.string()),
  left: z.object({ rows: z.int(), advice: z.string() }).nullable(),
  failed: z.int(),
  failures: z.array(Unread),
}) satisfies z.ZodType<RepairResult>

/** The last line of an answer: one without it was cut off. */
const end = 'end'

/** Lets commands of this user verify and repair the stored values of the running system, until the scope closes. */
export const serveVerification: Effect.Effect<LocalAddress, CannotListen, Scope.Scope | Database> = Effect.gen(
  function* () {
    const runtime = yield* Effect.runtime<Database>()
    return yield* serveLocally({
      who: 'the service for verifications',
      answer: async (asked, response) => {
        const left = new AbortController()
        response.once('close', () => left.abort())
        response.writeHead(200, { 'Content-Type': 'application/x-ndjson' })
        const onResult = (result: CheckResult | RepairResult) =>
          Effect.sync(() => void response.write(`${JSON.stringify(result)}\n`))
        const { pathname, searchParams } = new URL(asked.url ?? '/', 'http://localhost')
        const only = searchParams.get('only')?.split(',') ?? []
        const work: Effect.Effect<unknown, never, Database> =
          pathname === '/repair' ? repairStored({ only, onResult }) : verifyStored({ onResult })
        const exit = await Runtime.runPromiseExit(runtime)(work, { signal: left.signal })
        if (exit._tag === 'Failure' && !left.signal.aborted) throw exit.cause
        response.end(`${JSON.stringify(end)}\n`)
      },
    })
  },
)

/** The stored values of a running system. The work ends when the scope of the caller closes. */
export const remoteValues = (address: LocalAddress): StoredValues => ({
  verify: (onResult) => ask(address, '/verify', Verified, onResult),
  repair: (only, onResult) => ask(address, `/repair?only=${only.join()}`, Repaired, onResult),
})

const ask = <A>(
  { address, key }: LocalAddress,
  path: string,
  result: z.ZodType<A>,
  onResult: (result: A) => Effect.Effect<void>,
): Effect.Effect<ReadonlyArray<A>, CannotRun> =>
  Effect.gen(function* () {
    const asked = yield* Effect.acquireRelease(
      Effect.sync(() => request(`${address}${path}`, { method: 'POST', headers: { Authorization: `Bearer ${key}` } })),
      (held) => Effect.sync(() => held.destroy()),
    )
    const lines = Stream.unwrap(
      Effect.map(Effect.tryPromise({ try: () => answered(asked), catch: cutOff }), (response) =>
        Stream.fromAsyncIterable(createInterface({ input: response }), cutOff),
      ),
    )
    const results: Array<A> = []
    let ended = false
    yield* Stream.runForEach(lines, (line) =>
      Effect.gen(function* () {
        const value: unknown = yield* Effect.try({ try: () => JSON.parse(line), catch: cutOff })
        if (value === end) {
          ended = true
          return
        }
        const parsed = yield* Effect.try({ try: () => result.parse(value), catch: cutOff })
        results.push(parsed)
        yield* onResult(parsed)
      }),
    )
    if (!ended) return yield* cutOff(new Error('the answer was cut off'))
    return results
  }).pipe(Effect.scoped)

async function answered(asked: ReturnType<typeof request>): Promise<IncomingMessage> {
  asked.end()
  const response: IncomingMessage = (await once(asked, 'response'))[0] // border: Node's own event
  if (response.statusCode !== 200) throw new Error(`the system answered ${response.statusCode}`)
  return response
}

const cutOff = (cause: unknown) =>
  new CannotRun({
    message: 'the running system did not finish its answer: see its log, then run the command again',
    cause,
  })
