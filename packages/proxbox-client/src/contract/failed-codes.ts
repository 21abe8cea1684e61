/** Why a gateway could not list a scope: the codes of a `failed` frame. */
export const failedCodes = [
  'unreachable',
  'tls_fingerprint_mismatch',
  'tls_untrusted',
  'unauthorized',
  'forbidden',
  'maintenance',
  'not_mounted',
  'timeout',
  'protocol',
] as const

/** One of {@link failedCodes}. */
export type FailedCode = (typeof failedCodes)[number]
