import { type SourceErrorCode, SourceFailed } from '@netbox-pbs/core/ports'
import { Effect, Stream } from 'effect'
import { errors } from 'undici'
import { ErrorBody } from '../contract/error-body.ts'
import { boundedText, shapeError } from '../foreign-text.ts'

/** An answer whose body has not been read. */
export interface GatewayResponse {
  readonly status: number
  /** Without parameters, in lower case. */
  readonly mediaType: string
  /** Where it came from, for messages. */
  readonly base: string
  /** The body as it arrives, read only as fast as it is consumed. */
  readonly bytes: Stream.Stream<Uint8Array, SourceFailed>
}

/** A whole answer. `json` is undefined when the body is no JSON. */
export interface JsonResponse extends Pick<GatewayResponse, 'status' | 'base'> {
  readonly json: unknown
}

/** Reads the whole body, which must not be larger than `max` bytes. */
export function readJson(response: GatewayResponse, max: number): Effect.Effect<JsonResponse, SourceFailed> {
  return Effect.suspend(() => {
    const parts: Array<Uint8Array> = []
    let size = 0
    return Stream.runForEach(response.bytes, (part) => {
      parts.push(part)
      size += part.length
      return size > max ? Effect.fail(tooLarge(response.base, max)) : Effect.void
    }).pipe(
      Effect.map(() => ({
        status: response.status,
        base: response.base,
        json: jsonOf(Buffer.concat(parts)),
      })),
    )
  })
}

const tooLarge = (base: string, max: number) =>
  new SourceFailed({
    code: 'protocol',
    message: `${base} answered with more than ${max} bytes: check that this is the address of the gateway`,
    retryable: false,
  })

function jsonOf(text: Buffer): unknown {
  if (shapeError(text) !== null) return undefined
  try {
    return JSON.parse(text.toString('utf8'))
  } catch {
    return undefined
  }
}

const tlsCodes = /^(?:CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/
const timeoutCodes = ['UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT']

/**
 * The error of a call that ended before its answer. Only the innermost cause is kept: the outer
 * ones hold the request with its headers.
 */
export function transportFailure(base: string, error: unknown): SourceFailed {
  const cause = innermost(error)
  const code = codeOf(cause)
  const because = code === '' ? '' : ` (${code})`
  if (tlsCodes.test(code)) {
    return new SourceFailed({
      code: 'tls_untrusted',
      message: `the certificate of the gateway at ${base} is not trusted${because}: give Node its authority with NODE_EXTRA_CA_CERTS, or correct the address`,
      retryable: false,
      cause,
    })
  }
  if (cause instanceof errors.HTTPParserError) {
    // The cause would contain the received bytes.
    return new SourceFailed({
      code: 'protocol',
      message: `${base} does not speak HTTP${because}: correct the address of the gateway`,
      retryable: false,
    })
  }
  return new SourceFailed({
    code: timeoutCodes.includes(code) ? 'timeout' : 'unreachable',
    message: `the gateway at ${base} cannot be reached${because}: check that it runs and that its address is right`,
    retryable: true,
    cause,
  })
}

/** The error of an answer that broke off. */
export function cutOff(base: string, error: unknown): SourceFailed {
  const cause = innermost(error)
  const code = codeOf(cause)
  return new SourceFailed({
    code: 'cut_off',
    message: `the answer of the gateway at ${base} was cut off${code === '' ? '' : ` (${code})`}: look into the gateway's log, then run again`,
    retryable: true,
    cause,
  })
}

function innermost(error: unknown): unknown {
  let inner = error
  for (let depth = 0; depth < 5; depth += 1) {
    if (typeof inner !== 'object' || inner === null || !('cause' in inner) || inner.cause === undefined) break
    inner = inner.cause
  }
  return inner
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : ''
}

const maxErrorBytes = 64 * 1024

/** How long to wait for the text of a refusal; after that the message has the status alone. */
const textWait = '30 seconds'

/** Fails for the answers that mean the same on every route: redirects, refused keys, and errors of the gateway. */
export function statusFailure(
  response: GatewayResponse,
  retryAfter: string | undefined,
  secrets: ReadonlyArray<string>,
): Effect.Effect<void, SourceFailed> {
  const { status, base } = response
  if (status >= 300 && status < 400) {
    const message = `${base} redirects (${status}), and redirects are not followed: set the address to where the gateway itself answers`
    return Effect.fail(new SourceFailed({ code: 'protocol', message, retryable: false }))
  }
  const known = meaningOf(status, base, retryAfter)
  if (known === null) return Effect.void
  return Effect.flatMap(detailOf(response, secrets), (detail) =>
    Effect.fail(
      new SourceFailed({
        code: known.code,
        message: `${known.what}${detail === '' ? '' : ` ("${detail}")`}: ${known.next}`,
        retryable: known.retryable,
      }),
    ),
  )
}

interface Meaning {
  readonly code: SourceErrorCode
  readonly what: string
  readonly next: string
  readonly retryable: boolean
}

function meaningOf(status: number, base: string, retryAfter: string | undefined): Meaning | null {
  if (status === 401 || status === 403) {
    return {
      code: 'unauthorized',
      what: `the gateway at ${base} refused our key`,
      next: 'enter the key that is registered there in Settings, or as NETBOX_PBS_GATEWAY_KEY',
      retryable: false,
    }
  }
  if (status === 429) {
    const seconds = /^\d{1,6}$/.test(retryAfter ?? '') ? ` for ${retryAfter} seconds` : ''
    return {
      code: 'unauthorized',
      what: `the gateway at ${base} takes no more attempts${seconds}`,
      next: 'correct the key in Settings, or NETBOX_PBS_GATEWAY_KEY, and wait',
      retryable: true,
    }
  }
  if (status >= 500) {
    return {
      code: 'unreachable',
      what: `the gateway at ${base} answered ${status}`,
      next: 'look into its log',
      retryable: true,
    }
  }
  return null
}

/** The gateway's own text about its refusal; blank when it is not JSON or cannot be read. */
function detailOf(response: GatewayResponse, secrets: ReadonlyArray<string>): Effect.Effect<string> {
  return readJson(response, maxErrorBytes).pipe(
    Effect.map(({ json }) => {
      const body = ErrorBody.safeParse(json)
      return body.success && typeof body.data.detail === 'string' ? boundedText(body.data.detail, secrets) : ''
    }),
    Effect.timeoutTo({ duration: textWait, onSuccess: (detail) => detail, onTimeout: () => '' }),
    Effect.catchAll(() => Effect.succeed('')),
  )
}
