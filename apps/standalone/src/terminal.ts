import { printable, printableLines } from '@netbox-pbs/app-shell'

// Every text that the command prints passes here, those of a PBS too: none of them reaches the terminal as a command.

/** One line of the command's result. */
export function say(line: string): void {
  process.stdout.write(`${printableLines(line)}\n`)
}

/** One line that is not part of the result: a hint, a warning. */
export function complain(line: string): void {
  progress('')
  process.stderr.write(`${printableLines(line)}\n`)
}

/** Whether a person watches: secrets are only printed then. */
export function onTerminal(): boolean {
  return process.stdout.isTTY === true
}

let lastProgress = ''

/** Replaces the current line of a terminal; silent elsewhere. An empty text clears it. */
export function progress(text: string): void {
  if (!process.stderr.isTTY || text === lastProgress) return
  lastProgress = text
  process.stderr.write(`\r\u001b[2K${printable(text)}`)
}

/** A table with aligned columns; the first row is its heading. */
export function table(texts: ReadonlyArray<ReadonlyArray<string>>): string {
  const rows = texts.map((row) => row.map(printable))
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
