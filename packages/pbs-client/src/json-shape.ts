import { MalformedList } from './item-splitter.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const DATA = Buffer.from('"data"')

/** Lists and objects in one document. */
const maxNodes = 100_000

/**
 * Refuses a text that `JSON.parse` would make many times its size of, or that says `data` twice: nested deeper than `maxDepth`, or with more than
 * 100 000 lists and objects. Throws {@link MalformedList}.
 */
export const checkJsonShape = (bytes: Buffer, maxDepth: number): void => {
  let depth = 0
  let nodes = 0
  let data = 0
  let inString = false
  let stringStart = 0
  let stringEnd = 0
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0
    if (inString) {
      if (byte === BACKSLASH) at += 1
      else if (byte === QUOTE) {
        inString = false
        stringEnd = at + 1
      }
    } else if (byte === QUOTE) {
      inString = true
      stringStart = at
    } else if (byte === 0x7b || byte === 0x5b) {
      depth += 1
      nodes += 1
      if (depth > maxDepth) throw new MalformedList(`the answer is nested deeper than ${maxDepth} levels`)
      if (nodes > maxNodes) throw new MalformedList(`the answer has more than ${maxNodes} lists and objects`)
    } else if (byte === 0x7d || byte === 0x5d) {
      depth -= 1
    } else if (byte === COLON && depth === 1 && DATA.equals(bytes.subarray(stringStart, stringEnd))) {
      data += 1
      if (data > 1) throw new MalformedList('the answer has "data" twice')
    }
  }
}
