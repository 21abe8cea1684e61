import { Effect, Redacted } from 'effect'
import { z } from 'zod'
import { CannotRun } from '../failures.ts'

/** Where a system answers, and the token to talk to it with. */
export interface Remote {
  readonly address: string
  readonly token: Redacted.Redacted<string>
}

/** One request to a system's REST API. */
export interface RemoteRequest<A> {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** Below the address, from `/api/` on. */
  readonly path: string
  readonly body?: unknown
  readonly answer: z.ZodType<A>
}

const Refusal = z.union([
  z.object({ detail: z.string() }),
  z.record(z.string(), z.union([z.string(), z.array(z.string())])),
])

/** Sends a request and reads its answer. Fails with the system's own words when it refuses, and with the next step when it does not answer. */
export const call =
  (remote: Remote) =>
  <A>({ method, path, body, answer }: RemoteRequest<A>): Effect.Effect<A, CannotRun> =>
    Effect.tryPromise({
      try: (signal) =>
        fetch(new URL(path, remote.address), {
          method,
          redirect: 'error',
          signal: AbortSignal.any([signal, AbortSignal.timeout(120_000)]),
          headers: {
            Accept: 'application/json',
            Authorization: `Bearer ${Redacted.value(remote.token)}`,
            ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        }).then(async (response) => ({ ok: response.ok, status: response.status, text: await response.text() })),
      catch: (cause) =>
        new CannotRun({
          message: `${remote.address} does not answer: start it with "start", or give its address with --url`,
          cause,
        }),
    }).pipe(
      Effect.flatMap(({ ok, status, text }) => {
        if (!ok) return Effect.fail(new CannotRun({ message: refusal(status, text) }))
        const parsed = answer.safeParse(text === '' ? undefined : parseJson(text))
        return parsed.success
          ? Effect.succeed(parsed.data)
          : Effect.fail(
              new CannotRun({
                message: `${remote.address} does not answer like netbox-pbs: is the address right?`,
                cause: parsed.error,
              }),
            )
      }),
    )

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function refusal(status: number, text: string): string {
  const parsed = Refusal.safeParse(parseJson(text))
  if (!parsed.success) return `the system answered ${status}`
  const body: Record<string, string | ReadonlyArray<string>> = parsed.data
  return Object.entries(body)
    .map(([field, words]) => (field === 'detail' ? String(words) : `${field}: ${[words].flat().join(' ')}`))
    .join('\n')
}
