/** What a terminal takes as a command, or shows as another order of the text. */
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u202a-\u202e\u2066-\u2069]/gu

/** A text as one line that no terminal takes for a command: control characters are shown as `\\n`, `\\u{1b}`. */
export const printable = (text: string): string =>
  text.replace(unprintable, (character) =>
    character === '\n' ? '\\n' : character === '\t' ? '\\t' : `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`,
  )

/** The same for a text of several lines, which stay lines. */
export const printableLines = (text: string): string => text.split('\n').map(printable).join('\n')
