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
 * Makes every text inside a parsed JSON value printable, in place. This is the one place where
 * texts of a PBS are judged, before they are compared, stored or shown.
 *
 * @returns The names of the fields of the value itself whose text was changed.
 */
export const makeTextsPrintable = (value: unknown): ReadonlyArray<string> => {
  if (typeof value !== 'object' || value === null) return none
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
  return changed.length === 0 ? none : changed
}

const none: ReadonlyArray<string> = Object.freeze([])
