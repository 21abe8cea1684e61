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

/**
 * Sends a request and reads its answer. Fails with the system's own words when it refuses, and with
 * the next step when it does not answer.
 */
export const call =
  (remote: Remote) =>
  <A>({ method, path, body, answer }: RemoteRequest<A>): Effect.Effect<A, CannotRun> =>
    Effect.tryPromise({
      try: (signal) =>
        fetch(urlOf(remote.address, path), {
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
          message: `${remote.address} does not answer: start the system there, or give its address with --url`,
          cause,
        }),
    }).pipe(
      Effect.flatMap(({ ok, status, text }) => {
        if (!ok) return Effect.fail(new CannotRun({ message: rejection(remote.address, status, parseJson(text)) }))
        const parsed = answer.safeParse(parseJson(text))
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

const pageRows = 1000

/** All rows of a list, page by page. The path may have filters. */
export const readAll =
  (remote: Remote) =>
  <A>(path: string, row: z.ZodType<A>): Effect.Effect<ReadonlyArray<A>, CannotRun> =>
    Effect.iterate(
      { rows: [] as ReadonlyArray<A>, more: true },
      {
        while: ({ more }) => more,
        body: ({ rows }) =>
          call(remote)({
            method: 'GET',
            path: `${path}${path.includes('?') ? '&' : '?'}limit=${pageRows}&offset=${rows.length}`,
            answer: z.object({ next: z.string().nullable(), results: z.array(row) }),
          }).pipe(
            Effect.map(({ next, results }) => ({
              rows: [...rows, ...results],
              more: next !== null && results.length > 0,
            })),
          ),
      },
    ).pipe(Effect.map(({ rows }) => rows))

/** A proxy may serve the system below a path. */
const urlOf = (address: string, path: string): string => `${address.replace(/\/+$/, '')}${path}`

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const Detail = z.object({ detail: z.string() })
const FieldErrorsBody = z.record(z.string(), z.union([z.string(), z.array(z.string())]))

function rejection(address: string, status: number, body: unknown): string {
  const detail = Detail.safeParse(body)
  if (detail.success)
    return status === 401 || status === 403
      ? `${address} refuses: ${detail.data.detail} Is it the right token?`
      : detail.data.detail
  const fields = FieldErrorsBody.safeParse(body)
  if (!fields.success) return `${address} answers ${status}: is the address right?`
  return Object.entries(fields.data)
    .map(([field, words]) => `${field}: ${[words].flat().join(' ')}`)
    .join('; ')
}
