/**
 * Text of another system, fit for a message: one line, bounded, and without any of the secrets that were sent to it.
 */
export function boundedText(text: string, secrets: ReadonlyArray<string> = [], maxLength = 300): string {
  const line = secrets
    .filter((secret) => secret !== '')
    .reduce((cleaned, secret) => cleaned.replaceAll(secret, '***'), text)
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .trim()
  return line.length > maxLength ? `${line.slice(0, maxLength)}…` : line
}
