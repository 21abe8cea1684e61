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

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** Smaller texts do no harm, valid or not. */
const harmlessBytes = 256 * 1024

/** Levels of lists and objects inside each other; a frame has some six, and the facts in it at most 32. */
const maxDepth = 64

/**
 * Why a JSON text must not be parsed, for `JSON.parse` would make many times its size of it: nested
 * too deeply, or with more lists and objects than one for every 16 bytes. Null: it may be.
 */
export function shapeError(text: Buffer): string | null {
  if (text.length <= harmlessBytes) return null
  const maxNodes = text.length / 16
  let depth = 0
  let nodes = 0
  let inString = false
  for (let at = 0; at < text.length; at += 1) {
    const byte = text[at] ?? 0
    if (inString) {
      if (byte === BACKSLASH) at += 1
      else if (byte === QUOTE) inString = false
    } else if (byte === QUOTE) {
      inString = true
    } else if (byte === 0x7b || byte === 0x5b) {
      depth += 1
      nodes += 1
      if (depth > maxDepth) return `is nested deeper than ${maxDepth} levels`
      if (nodes > maxNodes) return 'has more lists and objects than it has text for'
    } else if (byte === 0x7d || byte === 0x5d) {
      depth -= 1
    }
  }
  return null
}
