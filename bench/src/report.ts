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
    line_seconds: result.lineSeconds && Number(result.lineSeconds.toPrecision(4)),
    cpu_seconds: result.cpuSeconds,
    yardstick_cpu_seconds: result.yardstick?.cpuSeconds,
    peak_rss_mb: Math.round(result.peakRssMb),
    rows_written: result.rowsWritten,
    requests: result.requests,
    ...(result.waits && {
      p50_ms: millis(result.waits.p50),
      p99_ms: millis(result.waits.p99),
      max_ms: millis(result.waits.max),
    }),
    clients: result.clients,
    requests_per_s: result.requestsPerSecond && Number(result.requestsPerSecond.toPrecision(3)),
    first_byte_ms: result.firstByteMs && millis(result.firstByteMs),
    bytes: result.bytes,
    ...(result.load && { answers: result.load.answers, idle_after_ms: Math.round(result.load.idleAfterMs) }),
  })
}

/** Columns of the table for people; one that no result fills is left out. */
const columns: ReadonlyArray<readonly [title: string, cellOf: (result: Result) => string]> = [
  [
    'case',
    ({ bench, case: title, changes }) =>
      `${bench}: ${title}${changes === undefined ? '' : ` (${thousands(changes)} changes)`}`,
  ],
  ['clients', ({ clients }) => String(clients ?? '')],
  ['rows', ({ n }) => thousands(n)],
  ['seconds', ({ seconds }) => seconds.toFixed(3)],
  ['rows/s', ({ rowsPerSecond }) => thousands(rowsPerSecond)],
  ['peak MB', ({ peakRssMb }) => thousands(peakRssMb)],
  ['yardstick (s)', ({ yardstick }) => (yardstick ? `${yardstick.title} ${yardstick.seconds.toFixed(3)}` : '')],
  ['ratio', ({ seconds, yardstick }) => (yardstick ? (seconds / yardstick.seconds).toFixed(2) : '')],
  ['line alone (s)', ({ lineSeconds }) => lineSeconds?.toFixed(3) ?? ''],
  ['rows written', ({ rowsWritten }) => (rowsWritten === undefined ? '' : thousands(rowsWritten))],
  [
    'requests (groups, snapshots)',
    ({ requests }) =>
      requests ? `${thousands(requests.all)} (${thousands(requests.groups)}, ${thousands(requests.snapshots)})` : '',
  ],
  ['p50 / p99 / max (ms)', ({ waits }) => (waits ? Object.values(waits).map(millis).join(' / ') : '')],
  ['requests/s', ({ requestsPerSecond }) => requestsPerSecond?.toPrecision(3) ?? ''],
  ['first byte (ms)', ({ firstByteMs }) => (firstByteMs === undefined ? '' : String(millis(firstByteMs)))],
  ['MB', ({ bytes }) => (bytes === undefined ? '' : thousands(bytes / 1e6))],
  ['answers', ({ load }) => (load ? JSON.stringify(load.answers) : '')],
  ['idle after (ms)', ({ load }) => (load ? thousands(load.idleAfterMs) : '')],
]

/** Results for people. */
export function table(results: ReadonlyArray<Result>): string {
  const lines = [
    columns.map(([title]) => title),
    ...results.map((result) => columns.map(([, cellOf]) => cellOf(result))),
  ]
  const used = columns.flatMap((_, column) => (lines.some((cells, i) => i > 0 && cells[column] !== '') ? [column] : []))
  const widthOf = (column: number): number => Math.max(...lines.map((cells) => cells[column]?.length ?? 0))
  return lines
    .map((cells) =>
      used
        .map((i) => (i === 0 ? (cells[i] ?? '').padEnd(widthOf(i)) : (cells[i] ?? '').padStart(widthOf(i))))
        .join('  '),
    )
    .map((line) => `${line}\n`)
    .join('')
}

/** Milliseconds to three digits. */
const millis = (value: number): number => Number(value.toPrecision(3))

const thousands = (value: number): string => Math.round(value).toLocaleString('en')
