import type { Result } from './measure.ts'

/** A result for machines: one line of JSON. */
export function jsonLine(result: Result): string {
  return JSON.stringify({
    bench: result.bench,
    case: result.case,
    n: result.n,
    changes: result.changes,
    seconds: Number(result.seconds.toPrecision(4)),
    rows_per_s: Math.round(result.rowsPerSecond),
    ...(result.yardstick && {
      yardstick: result.yardstick.title,
      yardstick_seconds: Number(result.yardstick.seconds.toPrecision(4)),
      ratio: Number((result.seconds / result.yardstick.seconds).toPrecision(4)),
    }),
    cpu_seconds: result.cpuSeconds,
    yardstick_cpu_seconds: result.yardstick?.cpuSeconds,
    peak_rss_mb: Math.round(result.peakRssMb),
    rows_written: result.rowsWritten,
    ...(result.waits && {
      p50_ms: Math.round(result.waits.p50),
      p99_ms: Math.round(result.waits.p99),
      max_ms: Math.round(result.waits.max),
    }),
  })
}

/** Results for people. */
export function table(results: ReadonlyArray<Result>): string {
  const rows = results.map((result) => [
    `${result.bench}: ${result.case}${result.changes === undefined ? '' : ` (${thousands(result.changes)} changes)`}`,
    thousands(result.n),
    result.seconds.toFixed(3),
    thousands(result.rowsPerSecond),
    thousands(result.peakRssMb),
    ...(result.yardstick === undefined
      ? []
      : [
          `${result.yardstick.title} ${result.yardstick.seconds.toFixed(3)}`,
          (result.seconds / result.yardstick.seconds).toFixed(2),
        ]),
    ...(result.rowsWritten === undefined ? [] : [thousands(result.rowsWritten)]),
    ...(result.waits === undefined ? [] : [Object.values(result.waits).map(Math.round).join(' / ')]),
  ])
  const titles = [
    'case',
    'rows',
    'seconds',
    'rows/s',
    'peak MB',
    'yardstick (s)',
    'ratio',
    'rows written',
    'reads beside p50 / p99 / max (ms)',
  ]
  const lines = [titles.slice(0, Math.max(...rows.map((cells) => cells.length))), ...rows]
  const widthOf = (column: number): number => Math.max(...lines.map((cells) => cells[column]?.length ?? 0))
  return lines
    .map((cells) => cells.map((cell, i) => (i === 0 ? cell.padEnd(widthOf(i)) : cell.padStart(widthOf(i)))).join('  '))
    .map((line) => `${line}\n`)
    .join('')
}

const thousands = (value: number): string => Math.round(value).toLocaleString('en')
