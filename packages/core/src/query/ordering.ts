import type { OrderTerm } from './list-query.ts'

/** Reads `ordering=f1,-f2`. Names that cannot be ordered by are dropped, as NetBox drops them. */
export function parseOrdering(
  text: string | undefined,
  orderable: (field: string) => boolean,
): ReadonlyArray<OrderTerm> {
  return (text ?? '')
    .split(',')
    .map((term) => term.trim())
    .map((term) =>
      term.startsWith('-') ? { field: term.slice(1), descending: true } : { field: term, descending: false },
    )
    .filter(({ field }) => orderable(field))
}
