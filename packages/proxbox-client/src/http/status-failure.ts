import { type SourceErrorCode, SourceFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { ErrorBody } from '../contract/error-body.ts'
import { boundedText } from './bounded-text.ts'
import { type Answer, wholeAnswer } from './parse-response.ts'

const maxErrorBytes = 64 * 1024

/** How long the text of a refusal is waited for; without it the status alone is told. */
const textWait = '30 seconds'

/** Fails for the answers that mean the same on every route: redirects, refused keys, and a gateway that is not well. */
export function statusFailure(
  answer: Answer,
  retryAfter: string | undefined,
  secrets: ReadonlyArray<string>,
): Effect.Effect<void, SourceFailed> {
  const { status, base } = answer
  if (status >= 300 && status < 400) {
    const message = `${base} redirects (${status}), and redirects are not followed: set the address to where the gateway itself answers`
    return Effect.fail(new SourceFailed({ code: 'protocol', message, retryable: false }))
  }
  const known = meaningOf(status, base, retryAfter)
  if (known === null) return Effect.void
  return Effect.flatMap(detailOf(answer, secrets), (detail) =>
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

/** What the gateway says of its refusal; nothing when it is not JSON or cannot be read. */
function detailOf(answer: Answer, secrets: ReadonlyArray<string>): Effect.Effect<string> {
  return wholeAnswer(answer, maxErrorBytes).pipe(
    Effect.map(({ json }) => {
      const body = ErrorBody.safeParse(json)
      return body.success && typeof body.data.detail === 'string' ? boundedText(body.data.detail, secrets) : ''
    }),
    Effect.timeoutTo({ duration: textWait, onSuccess: (detail) => detail, onTimeout: () => '' }),
    Effect.catchAll(() => Effect.succeed('')),
  )
}
