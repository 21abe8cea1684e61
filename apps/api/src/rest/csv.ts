/** A line of RFC 4180 with its end. */
export const csvLine = (cells: ReadonlyArray<unknown>): string => `${cells.map(csvCell).join(',')}\r\n`

/** A value of an answer in such a line. */
export function csvCell(value: unknown): string {
  const text = typeof value === 'string' ? withoutFormula(value) : cellText(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** What spreadsheets take for the beginning of a formula. */
const formula = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/

/** Text that a spreadsheet shows and never computes: comments come from other systems. */
const withoutFormula = (text: string): string => (formula.test(text) ? `'${text}` : text)

/**
 * The text of a value of an answer: of a choice its value, of another object its name, of tags their
 * slugs, of several choices their values, of other lists and objects their JSON; no value is blank.
 */
function cellText(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value !== 'object') return String(value)
  if (Array.isArray(value)) {
    const names = value.map(nameOf)
    return names.every((name) => name !== null) ? withoutFormula(names.join(',')) : JSON.stringify(value)
  }
  const chosen = chosenOf(value)
  if (chosen !== null) return withoutFormula(chosen)
  const { url, name, display } = value as Readonly<Record<string, unknown>>
  if (typeof url === 'string' && typeof display === 'string') return withoutFormula(String(name ?? display))
  return JSON.stringify(value)
}

/** The value of a choice; null: it is none. */
const chosenOf = (item: object): string | null =>
  'value' in item && typeof item.value === 'string' && 'label' in item && typeof item.label === 'string'
    ? item.value
    : null

/** The name by which a tag or a choice is one of a list. */
function nameOf(item: unknown): string | null {
  if (typeof item !== 'object' || item === null) return null
  return 'slug' in item && typeof item.slug === 'string' ? item.slug : chosenOf(item)
}
