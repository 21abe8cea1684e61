import { createHmac } from 'node:crypto'
import { keptResponse } from '@netbox-pbs/core'
import type { AttemptOutcome, DueDelivery } from '@netbox-pbs/core/ports'
import { Effect, Option, Redacted } from 'effect'
import { Agent, request } from 'undici'
import manifest from '../../package.json' with { type: 'json' }
import { addressRule, guardedLookup, literalAddress, TargetRefused } from './target-address.ts'

/** The time for one attempt as a whole, from the look-up of the name to the end of the response. */
const attemptMillis = 20_000

/** Bytes of a response that are read. */
const readBytes = 16_384

/**
 * Sends one delivery. It follows no redirect, uses no proxy, and opens a connection of its own, to an
 * address that passes: a public one, or one of `allowedNetworks` (CIDRs).
 */
export const sendWebhook = (
  due: DueDelivery,
  {
    allowedNetworks,
    timeLimitMillis = attemptMillis,
  }: { readonly allowedNetworks: ReadonlyArray<string>; readonly timeLimitMillis?: number },
): Effect.Effect<AttemptOutcome> =>
  Effect.tryPromise({
    try: (signal) => attempt(due, allowedNetworks, AbortSignal.any([signal, AbortSignal.timeout(timeLimitMillis)])),
    catch: (cause) => cause,
  }).pipe(
    Effect.catchAll((cause) =>
      Effect.succeed({
        delivered: false,
        final: rootOf(cause) instanceof TargetRefused,
        status: null,
        response: '',
        error: sentenceOf(rootOf(cause), timeLimitMillis),
      }),
    ),
  )

async function attempt(
  due: DueDelivery,
  allowedNetworks: ReadonlyArray<string>,
  signal: AbortSignal,
): Promise<AttemptOutcome> {
  const url = new URL(due.url)
  const isAllowed = addressRule(allowedNetworks)
  const literal = literalAddress(url)
  if (literal !== null && !isAllowed(literal)) throw new TargetRefused(literal)
  const agent = new Agent({
    connect: { lookup: guardedLookup(isAllowed), rejectUnauthorized: due.ssl_verification },
    pipelining: 0,
  })
  try {
    const { statusCode, body } = await request(url, {
      dispatcher: agent,
      method: due.method,
      headers: headersOf(due),
      body: due.body,
      signal,
    })
    const response = await firstOf(body)
    const delivered = statusCode >= 200 && statusCode < 300
    return {
      delivered,
      final: false,
      status: statusCode,
      response,
      error: delivered ? '' : `The receiver answered with status ${statusCode}.`,
    }
  } finally {
    await agent.destroy()
  }
}

/** The headers of a request; those that a user added cannot replace ours. */
function headersOf({ headers, content_type, uuid, body, secret }: DueDelivery): Record<string, string> {
  const added = headers.map(([name, value]) => [name.toLowerCase(), value] as const)
  return {
    'user-agent': `netbox-pbs/${manifest.version}`,
    ...Object.fromEntries(added),
    'content-type': content_type,
    'x-hook-delivery': uuid,
    ...(Option.isNone(secret) ? {} : { 'x-hook-signature': signature(body, secret.value) }),
  }
}

/** NetBox's signature: HMAC-SHA512 of the body's bytes, in lower-case hexadecimal. */
const signature = (body: string, secret: Redacted.Redacted<string>): string =>
  createHmac('sha512', Redacted.value(secret)).update(body).digest('hex')

/** The beginning of a response as text. The rest is not read, and a body that breaks off ends there: the status has come. */
async function firstOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces: Array<Uint8Array> = []
  let size = 0
  try {
    for await (const piece of body) {
      pieces.push(piece)
      size += piece.byteLength
      if (size >= readBytes) break
    }
  } catch {
    // The connection ended, or the time of the attempt.
  }
  return new TextDecoder().decode(Buffer.concat(pieces).subarray(0, readBytes)).slice(0, keptResponse)
}

/** The error itself, where a library has wrapped it. */
function rootOf(cause: unknown): unknown {
  if (cause instanceof AggregateError && cause.errors.length > 0) return rootOf(cause.errors[0])
  return cause instanceof Error && cause.cause !== undefined ? rootOf(cause.cause) : cause
}

function sentenceOf(cause: unknown, timeLimitMillis: number): string {
  if (cause instanceof TargetRefused) return cause.message
  const name = cause instanceof Error ? cause.name : ''
  if (name === 'TimeoutError' || name === 'AbortError')
    return `There was no response within ${timeLimitMillis / 1000} seconds.`
  return `The receiver could not be reached: ${cause instanceof Error ? cause.message : String(cause)}.`
}
