import { z } from 'zod'

/** A row lacks a field, or has one of another type. The message names the field. */
export class UnexpectedShape extends Error {
  /** @param field - The path of the field; empty when the row itself is none. */
  constructor(
    readonly field: string,
    readonly reason: string,
  ) {
    super(field === '' ? `the answer: ${reason}` : `field ${field}: ${reason}`)
  }
}

/** The fields that identify a row: another text would be another row. */
const naming: ReadonlySet<string> = new Set(['backup-type', 'backup-id', 'id', 'upid', 'ns', 'store', 'name'])

/** So many odd fields of one row are named. */
const mostNamed = 10

/**
 * Reads one row, changing `value`: texts become printable, and integers beyond 2^53-1 and fields of
 * a wrong type become null, where the schema allows it, and are listed. Throws {@link
 * UnexpectedShape} where it does not, or where a changed text would change the identity of the row.
 */
export const decodeItem = <T extends object>(schema: z.ZodType<T>, value: unknown): WithUnsafeIntegers<T> => {
  const changedName = makeTextsPrintable(value).find((field) => naming.has(field))
  if (changedName !== undefined)
    throw new UnexpectedShape(changedName, 'holds a control character or half of a surrogate pair')
  const unsafeIntegers = blankUnsafeIntegers(value)
  let parsed = schema.safeParse(value)
  // The object is zod's own, so it need not be copied.
  if (parsed.success) return Object.assign(parsed.data, { unsafeIntegers })
  const issues = parsed.error.issues
  while (!parsed.success) {
    for (const issue of parsed.error.issues) {
      if (blank(value, issue.path)) continue
      const path = pathOf(issue)
      throw new UnexpectedShape(path, (issues.find((first) => pathOf(first) === path) ?? issue).message)
    }
    parsed = schema.safeParse(value)
  }
  const oddFields = [...new Set(issues.map(pathOf))].slice(0, mostNamed)
  return Object.assign(parsed.data, { unsafeIntegers, oddFields })
}

const pathOf = ({ path }: z.core.$ZodIssue): string => path.map(String).join('.')

/**
 * Sets the value at a path to null, or the nearest value around it that is not null yet; false when
 * that is the row.
 */
const blank = (row: unknown, path: ReadonlyArray<PropertyKey>): boolean => {
  for (let length = path.length; length > 0; length--) {
    let holder = row
    for (const key of path.slice(0, length - 1)) holder = Reflect.get(Object(holder), key)
    const last = path[length - 1]
    if (last === undefined || typeof holder !== 'object' || holder === null) continue
    if ((Reflect.get(holder, last) ?? null) === null) continue
    return Reflect.set(holder, last, null)
  }
  return false
}

/** What a row without odd fields names. */
export const noFields: ReadonlyArray<string> = Object.freeze([])

/**
 * Sets every number beyond ±(2^53-1) inside a parsed JSON value to null, in place, and returns the
 * paths of those (`size`, `files.2.size`). No tokenizer is needed to notice lost precision:
 * rounding is monotonic and 2^53 is a double, so a literal beyond the limit never parses to a
 * number within it.
 */
export const blankUnsafeIntegers = (value: unknown): ReadonlyArray<string> => {
  // Nearly every row has none, and looking is cheaper than carrying paths along.
  if (typeof value !== 'object' || value === null || !holdsUnsafe(value)) return noFields
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
  // `for in` takes many times as long for a list as its length does.
  if (Array.isArray(node)) return node.some(isUnsafeWithin)
  const record = node as Record<string, unknown>
  for (const key in record) if (isUnsafeWithin(record[key])) return true
  return false
}

const isUnsafeWithin = (value: unknown): boolean =>
  typeof value === 'number' ? isUnsafe(value) : typeof value === 'object' && value !== null && holdsUnsafe(value)

// Upstream is read tolerantly: a key that is absent and a key that is null are both null, unknown keys are dropped, and
// words of open sets stay strings.

/** A text that may be missing. */
export const text = z.string().nullable().default(null)
/** An integer (seconds, bytes, counts) that may be missing, or lost because it is beyond 2^53-1. */
export const integer = z.int().nullable().default(null)
/** A boolean that may be missing; null says that the server's own default holds. */
export const flag = z.boolean().nullable().default(null)
/** A list of texts that may be missing. */
export const texts = z.array(z.string()).nullable().default(null)

/** An item together with the paths of the fields that could not be read and are null in it. */
export type WithUnsafeIntegers<T> = T & {
  /** Integers beyond 2^53-1. */
  readonly unsafeIntegers: ReadonlyArray<string>
  /** Fields of another type than PBS says, ten at most; left out when there is none. */
  readonly oddFields?: ReadonlyArray<string>
}

/** Control characters but tab and newline, and halves of surrogate pairs. */
const unprintable = /[^\P{Cc}\t\n]|\p{Cs}/u
const control = /[^\P{Cc}\t\n]/gu

/**
 * A text as every database stores it and every terminal shows it: without control characters but
 * tab and newline, a half surrogate replaced.
 */
export const printableText = (text: string): string =>
  unprintable.test(text) ? text.replaceAll(control, '').toWellFormed() : text

/**
 * Whether no text inside this JSON, which need not be whole, can hold an unprintable character: no DEL, no byte that
 * begins U+0080 to U+009F in UTF-8, and no escape that stands for a control character or half a surrogate pair. A search
 * by Node costs less than a look at each text.
 */
export const hasPrintableTexts = (json: Buffer): boolean =>
  !json.includes(0x7f) && !json.includes(0xc2) && unprintableEscapes.every((bytes) => !json.includes(bytes))

const unprintableEscapes = ['\\u', '\\b', '\\f', '\\r'].map((text) => Buffer.from(text))

/**
 * Makes every text inside a parsed JSON value printable, in place. All texts of a PBS pass here,
 * before they are compared, stored or shown.
 *
 * @returns The names of the fields of the value itself whose text was changed.
 */
const makeTextsPrintable = (value: unknown): ReadonlyArray<string> => {
  if (typeof value !== 'object' || value === null) return noFields
  if (Array.isArray(value)) {
    for (const [i, child] of value.entries()) {
      if (typeof child === 'string') value[i] = printableText(child)
      else makeTextsPrintable(child)
    }
    return noFields
  }
  const changed: Array<string> = []
  const record = value as Record<string, unknown>
  for (const key in record) {
    const child = record[key]
    if (typeof child === 'string') {
      if (!unprintable.test(child)) continue
      record[key] = printableText(child)
      changed.push(key)
    } else if (typeof child === 'object' && child !== null) {
      makeTextsPrintable(child)
    }
  }
  return changed.length === 0 ? noFields : changed
}
