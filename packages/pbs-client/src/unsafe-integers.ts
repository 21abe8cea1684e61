const none: ReadonlyArray<string> = Object.freeze([])

/**
 * Sets every number beyond ±(2^53-1) inside a parsed JSON value to null, in place, and returns the paths of those
 * (`size`, `files.2.size`). No tokenizer is needed to notice lost precision: rounding is monotonic and 2^53 is a double,
 * so a literal beyond the limit never parses to a number within it.
 */
export const blankUnsafeIntegers = (value: unknown): ReadonlyArray<string> => {
  // Nearly every row has none, and looking is cheaper than carrying paths along.
  if (typeof value !== 'object' || value === null || !holdsUnsafe(value)) return none
  const paths: Array<string> = []
  const visit = (node: object, prefix: string): void => {
    // The borders of JSON: an object here is a plain object or an array, and both are indexed by strings.
    const record = node as Record<string, unknown>
    for (const key in record) {
      const child = record[key]
      if (typeof child === 'number') {
        if (isUnsafe(child)) {
          record[key] = null
          paths.push(prefix + key)
        }
      } else if (typeof child === 'object' && child !== null) {
        visit(child, `${prefix}${key}.`)
      }
    }
  }
  visit(value, '')
  return paths
}

const isUnsafe = (number: number): boolean => number > Number.MAX_SAFE_INTEGER || number < Number.MIN_SAFE_INTEGER

const holdsUnsafe = (node: object): boolean => {
  const record = node as Record<string, unknown>
  for (const key in record) {
    const child = record[key]
    if (typeof child === 'number' ? isUnsafe(child) : typeof child === 'object' && child !== null && holdsUnsafe(child))
      return true
  }
  return false
}
