/** A text as a part of a path or a query. Half a surrogate pair, which no URL can hold, is replaced; the server then knows no such name. */
export const urlPart = (text: string): string => encodeURIComponent(text.toWellFormed())
