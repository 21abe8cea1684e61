/** Whose trouble a list that failed is: its own, the server's, or one of both. */
export type FailureScope = 'list' | 'server' | 'unclear'

/** What any request to the server would meet: its certificate. */
const ofServer = new Set(['tls_fingerprint_mismatch', 'tls_untrusted'])

/** What a single list may meet as well: PBS answers while one of its disks hangs, and a proxy before it may refuse one path. */
const ofEither = new Set(['unreachable', 'timeout', 'unauthorized'])

/**
 * Whose trouble a list that failed with a code of the contract's `failed` frame is. `unclear`: the server is asked the smallest request; only when that fails too, the server itself is the
 * trouble.
 *
 * | code | whose |
 * | --- | --- |
 * | tls_fingerprint_mismatch, tls_untrusted | the server's |
 * | unreachable, timeout, unauthorized | unclear |
 * | any other | the list's |
 */
export function failureScope(code: string): FailureScope {
  if (ofServer.has(code)) return 'server'
  return ofEither.has(code) ? 'unclear' : 'list'
}
