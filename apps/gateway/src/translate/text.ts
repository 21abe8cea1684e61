/** The first line of notes, trimmed. PBS shows no more of them in lists. NUL and lone surrogates, which no database stores, are dropped. */
export const firstLine = (notes: string | null | undefined): string =>
  storable((notes ?? '').split('\n', 1)[0] ?? '').trim()

/** Text as every database stores it: without NUL, lone surrogates replaced. */
export const storable = (text: string): string => text.replaceAll('\0', '').toWellFormed()
