/**
 * The id that a path or a form names. What is no id, and what lies beyond a number (2^53), is 0, which no row has, so that it is answered as a row that is not
 * there.
 */
export function rowId(text: string | undefined): number {
  const id = text !== undefined && /^\d+$/.test(text) ? Number(text) : 0
  return Number.isSafeInteger(id) ? id : 0
}
