import type { RouteResult } from '../routes/route.ts'

/** An answer before compression and faults: the body is text in pieces, made while it is sent. */
export interface SimulatedResponse {
  readonly status: number
  readonly contentType: string | null
  readonly headers?: Readonly<Record<string, string>>
  /** Milliseconds to wait first. */
  readonly delayMs?: number
  /** Streamed replies are chunked; others carry a Content-Length. */
  readonly streamed: boolean
  readonly body: Iterable<string>
}

/** The content type of results, and of errors of handlers too. */
export const JSON_TYPE = 'application/json;charset=UTF-8'

/**
 * A plain text response. Errors of handlers are labelled as JSON although they are text; earlier
 * errors have no content type.
 */
export const textResponse = (
  status: number,
  text: string,
  options: {
    readonly contentType?: string | null
    readonly delayMs?: number
    readonly headers?: Readonly<Record<string, string>>
  } = {},
): SimulatedResponse => ({ contentType: JSON_TYPE, ...options, status, streamed: false, body: [text] })

const CHUNK = 65_536

/** The rows of a list as JSON text in chunks of about 64 KiB. */
function* listText(rows: Iterable<unknown>, siblings: string): Generator<string> {
  let text = '{"data":['
  let separator = ''
  for (const row of rows) {
    text += separator + JSON.stringify(row)
    separator = ','
    if (text.length >= CHUNK) {
      yield text
      text = ''
    }
  }
  yield `${text}]${siblings}}`
}

/** The success envelope of a handler's result. */
export const resultResponse = (result: RouteResult): SimulatedResponse => {
  const siblings = Object.entries(result.siblings ?? {})
    .map(([name, value]) => `,${JSON.stringify(name)}:${JSON.stringify(value)}`)
    .join('')
  if ('rows' in result)
    return { status: 200, contentType: JSON_TYPE, streamed: true, body: listText(result.rows, siblings) }
  const body = [`{"data":${JSON.stringify(result.data)}${siblings}}`]
  return { status: 200, contentType: JSON_TYPE, streamed: false, body }
}
