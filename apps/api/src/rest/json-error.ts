/**
 * Says where a text stops being JSON, and what was expected there, in the words of Python's parser,
 * which NetBox repeats. Null: it is JSON. The caller has bounded the depth.
 */
export function jsonError(text: string): string | null {
  try {
    const end = afterSpace(text, readValue(text, afterSpace(text, 0)))
    return end === text.length ? null : placed(text, 'Extra data', end)
  } catch (fault) {
    if (fault instanceof Fault) return fault.at === null ? fault.message : placed(text, fault.message, fault.at)
    throw fault
  }
}

/** Where reading stopped; null: the place is not told. */
class Fault extends Error {
  readonly at: number | null
  constructor(message: string, at: number | null) {
    super(message)
    this.at = at
  }
}

function placed(text: string, message: string, at: number): string {
  const before = text.slice(0, at)
  const lines = before.split('\n')
  // Python counts characters, not units of UTF-16.
  return `${message}: line ${lines.length} column ${[...(lines.at(-1) ?? '')].length + 1} (char ${[...before].length})`
}

const space = /[ \t\n\r]*/y
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a string may not hold
const plain = /[^"\\\u0000-\u001f]*/y
const literal = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y
const notFinite = /NaN|-?Infinity/y

/** The end of what a pattern matches at a place; the place where it matches nothing. */
function end(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : at
}

const afterSpace = (text: string, at: number): number => end(space, text, at)

/** The end of a value that begins there. */
function readValue(text: string, at: number): number {
  if (text[at] === '"') return readString(text, at)
  if (text[at] === '{') return readObject(text, at)
  if (text[at] === '[') return readList(text, at)
  const constant = text.slice(at, end(notFinite, text, at))
  if (constant !== '') throw new Fault(`Out of range float values are not JSON compliant: '${constant}'`, null)
  const after = end(literal, text, at)
  if (after === at) throw new Fault('Expecting value', at)
  return after
}

function readObject(text: string, begin: number): number {
  let at = afterSpace(text, begin + 1)
  if (text[at] === '}') return at + 1
  for (;;) {
    if (text[at] !== '"') throw new Fault('Expecting property name enclosed in double quotes', at)
    at = afterSpace(text, readString(text, at))
    if (text[at] !== ':') throw new Fault("Expecting ':' delimiter", at)
    at = afterSpace(text, readValue(text, afterSpace(text, at + 1)))
    if (text[at] === '}') return at + 1
    if (text[at] !== ',') throw new Fault("Expecting ',' delimiter", at)
    at = afterSpace(text, at + 1)
  }
}

function readList(text: string, begin: number): number {
  let at = afterSpace(text, begin + 1)
  if (text[at] === ']') return at + 1
  for (;;) {
    at = afterSpace(text, readValue(text, at))
    if (text[at] === ']') return at + 1
    if (text[at] !== ',') throw new Fault("Expecting ',' delimiter", at)
    at = afterSpace(text, at + 1)
  }
}

function readString(text: string, begin: number): number {
  for (let at = begin + 1; ; ) {
    at = end(plain, text, at)
    if (text[at] === '"') return at + 1
    if (at >= text.length) throw new Fault('Unterminated string starting at', begin)
    if (text[at] !== '\\') throw new Fault('Invalid control character at', at)
    const escaped = text[at + 1]
    if (escaped === undefined) throw new Fault('Unterminated string starting at', begin)
    if (escaped !== 'u' && !'"\\/bfnrt'.includes(escaped)) throw new Fault('Invalid \\escape', at)
    if (escaped === 'u' && !/^[\da-fA-F]{4}/.test(text.slice(at + 2, at + 6)))
      throw new Fault('Invalid \\uXXXX escape', at + 1)
    at += escaped === 'u' ? 6 : 2
  }
}
