const opening = Buffer.from('{"frame":"group","server":"')
const next = Buffer.from(',"datastore_name":"')
const closing = Buffer.from(']}')
const quote = 0x22
const backslash = 0x5c

/**
 * The server of a group's frame as its raw line names it, without parsing the rest; null when the line does not begin
 * and end as a canonical group does.
 */
export function serverOfCanonicalGroup(line: Buffer): string | null {
  if (!startsWith(line, opening, 0) || !startsWith(line, closing, line.length - closing.length)) return null
  const end = endOfString(line, opening.length)
  if (end === -1 || !startsWith(line, next, end + 1)) return null
  const text = line.toString('utf8', opening.length, end)
  return text.includes('\\') ? unescaped(text) : text
}

function startsWith(line: Buffer, part: Buffer, at: number): boolean {
  return at >= 0 && line.length >= at + part.length && line.compare(part, 0, part.length, at, at + part.length) === 0
}

function endOfString(line: Buffer, start: number): number {
  for (let at = start; at < line.length; at += 1) {
    if (line[at] === quote) return at
    if (line[at] === backslash) at += 1
  }
  return -1
}

function unescaped(text: string): string | null {
  try {
    const value: unknown = JSON.parse(`"${text}"`)
    return typeof value === 'string' ? value : null
  } catch {
    return null
  }
}
