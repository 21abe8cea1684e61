/** A line of RFC 4180 with its end. */
export const csvLine = (cells: ReadonlyArray<unknown>): string => `${cells.map(csvCell).join(',')}\r\n`

function csvCell(value: unknown): string {
  const text = typeof value === 'string' ? withoutFormula(value) : cellText(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** What spreadsheets take for the beginning of a formula. */
const formula = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/

/** Text that a spreadsheet shows and never computes: comments come from other systems. */
const withoutFormula = (text: string): string => (formula.test(text) ? `'${text}` : text)

/**
 * The text of a value of an answer: of a choice its value, of another object its name, of tags their
 * slugs, of other lists and objects their JSON; no value is blank.
 */
function cellText(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value !== 'object') return String(value)
  if (Array.isArray(value)) {
    const slugs = value.map(slugOf)
    if (slugs.every((slug) => slug !== null)) return withoutFormula(slugs.join(','))
    return JSON.stringify(value)
  }
  const { value: chosen, label, url, name, display } = value as Readonly<Record<string, unknown>>
  if (typeof chosen === 'string' && typeof label === 'string') return withoutFormula(chosen)
  if (typeof url === 'string' && typeof display === 'string') return withoutFormula(String(name ?? display))
  return JSON.stringify(value)
}

const slugOf = (item: unknown): string | null =>
  typeof item === 'object' && item !== null && 'slug' in item && typeof item.slug === 'string' ? item.slug : null
