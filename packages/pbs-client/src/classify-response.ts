import type { PbsFailureReason } from './pbs-error.ts'

/**
 * The wordings of PBS 2.x to 4.2; the first that matches decides. Error bodies are text, whatever
 * their content type says.
 */
const byText: ReadonlyArray<readonly [RegExp, PbsFailureReason]> = [
  [/^authentication failed\b/, 'unauthorized'],
  [/^permission check failed\b/, 'forbidden'],
  [/^no such datastore\b/, 'not_found'],
  [/^datastore '[^']*' is not mounted/, 'not_mounted'],
  [/^datastore '[^']*' is unavailable: /, 'maintenance'],
  [/^datastore '[^']*' is in [\w -]*maintenance mode/, 'maintenance'],
  [/^datastore '[^']*' is being (deleted|unmounted)/, 'maintenance'],
  [/\bENOENT\b|No such file or directory/, 'not_found'],
]

/** Why a reply that is not a 200 failed, from its status and the text of its body. */
export const classifyResponse = (status: number, text: string): PbsFailureReason => {
  if (status === 401) return 'unauthorized'
  if (status === 403) return 'forbidden'
  if (status === 404) return 'unsupported'
  if (status === 400) return byText.find(([pattern]) => pattern.test(text.trimStart()))?.[1] ?? 'rejected'
  return status >= 500 ? 'rejected' : 'protocol'
}

/** Whether the server refused a query parameter that it does not know (an older version). */
export const isUnknownParameter = (status: number | undefined, text: string): boolean =>
  status === 400 && text.includes('schema does not allow additional properties')
