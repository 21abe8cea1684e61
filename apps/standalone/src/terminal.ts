/** One line of the command's result. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** One line that is not part of the result: a hint, a warning. */
export function complain(line: string): void {
  progress('')
  process.stderr.write(`${line}\n`)
}

/** Whether a person watches: secrets are only printed then. */
export function onTerminal(): boolean {
  return process.stdout.isTTY === true
}

let shown = ''

/** Replaces the current line of a terminal; silent elsewhere. An empty text clears it. */
export function progress(text: string): void {
  if (!process.stderr.isTTY || text === shown) return
  shown = text
  process.stderr.write(`\r\u001b[2K${text}`)
}

/** A table with aligned columns; the first row is its heading. */
export function table(rows: ReadonlyArray<ReadonlyArray<string>>): string {
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
