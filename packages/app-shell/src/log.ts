import { Cause, HashMap, Layer, Logger, LogLevel } from 'effect'

/** `text`: `key=value` pairs, shorter on a terminal. `json`: one object a line. */
export const logFormats = ['text', 'json'] as const

/** The format of the log on standard error: always one line per event. */
export type LogFormat = (typeof logFormats)[number]

/** The fields of an event, in the order in which they are written; each key once. */
type LogFields = ReadonlyMap<string, unknown>

/** Characters of one value at most; a trace may be longer than a sentence. */
const longestValue = 8000

/**
 * The fields of an event: `time` (RFC 3339 in UTC), `level`, `msg`, then its annotations, then
 * `cause` where something failed. `msg` is the first argument of the log call; `cause` has its
 * other arguments and the cause.
 */
export function logFields({ date, logLevel, message, cause, annotations }: Logger.Logger.Options<unknown>): LogFields {
  const [first, ...rest] = Array.isArray(message) ? message : [message]
  const causes = [...rest.map(textOf), ...(Cause.isEmpty(cause) ? [] : [causeText(cause)])]
  const fields = new Map<string, unknown>([
    ['time', date.toISOString().replace('.000Z', 'Z')],
    ['level', logLevel.label.toLowerCase()],
    ['msg', textOf(first)],
  ])
  for (const [key, value] of HashMap.entries(annotations)) fields.set(free(fields, key), plain(value))
  if (causes.length > 0) fields.set(free(fields, 'cause'), causes.join('; ').slice(0, longestValue))
  return fields
}

/** A key that no field has yet. */
const free = (fields: LogFields, key: string): string => (fields.has(key) ? free(fields, `${key}_`) : key)

const plain = (value: unknown): unknown =>
  typeof value === 'number' || typeof value === 'boolean' ? value : textOf(value).slice(0, longestValue)

/** Shows an expected failure by its message, a bug by its trace. */
const textOf = (value: unknown): string => {
  if (typeof value === 'string') return value
  if (Cause.isCause(value)) return causeText(value)
  if (value instanceof Error) return '_tag' in value ? value.message : (value.stack ?? value.message)
  return JSON.stringify(value) ?? String(value)
}

const causeText = (cause: Cause.Cause<unknown>): string =>
  Cause.isFailure(cause) ? [...Cause.failures(cause)].map(textOf).join('; ') : Cause.pretty(cause)

/** A value that needs no quotes in `key=value`. */
const bare = /^[^\s"=]+$/

const pair = ([key, value]: readonly [string, unknown]): string => {
  const text = printable(String(value))
  return `${key}=${bare.test(text) ? text : `"${text.replaceAll('"', '\\"')}"`}`
}

/** One line as standard error shows it. */
export function logLine(fields: LogFields, format: LogFormat | 'terminal'): string {
  if (format === 'json') return JSON.stringify(Object.fromEntries(fields), (_, value) => storable(value))
  if (format === 'text') return [...fields].map(pair).join(' ')
  const { time, level, msg, ...rest } = Object.fromEntries(fields)
  const heading = `${String(time).slice(11, 19)} ${String(level).padEnd(5)} ${printable(String(msg))}`
  return [heading, ...Object.entries(rest).map(pair)].join(' ')
}

/** JSON itself escapes control characters below U+0020 only. */
const beyondJson = /[\p{Zl}\p{Zp}\p{Cs}\u007f-\u009f\u202a-\u202e\u2066-\u2069]/gu

const storable = (value: unknown): unknown => (typeof value === 'string' ? value.replace(beyondJson, printable) : value)

const loggerOf = (format: LogFormat | 'terminal'): Logger.Logger<unknown, void> =>
  Logger.make((options) => {
    process.stderr.write(`${logLine(logFields(options), format)}\n`)
  })

/** The log of a process until its flags are read. */
const initial = loggerOf(process.stderr.isTTY ? 'terminal' : 'text')

/** The log of a process before its flags are read. Standard output is for results. */
export const initialLog: Layer.Layer<never> = Layer.merge(
  Logger.replace(Logger.defaultLogger, initial),
  Logger.minimumLogLevel(LogLevel.Info),
)

/** The log of the programs inside `runProcess`, in the format of `--log-format`. Text stays short on a terminal. */
export const logLayer = (format: LogFormat): Layer.Layer<never> =>
  format === 'text' ? Layer.empty : Logger.replace(initial, loggerOf(format))

/** Characters that a terminal takes as a command, or that change the order of the text. */
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u202a-\u202e\u2066-\u2069]/gu

/** A text as one line that no terminal takes for a command: control characters are shown as `\\n`, `\\u{1b}`. */
export const printable = (text: string): string =>
  text.replace(unprintable, (character) =>
    character === '\n' ? '\\n' : character === '\t' ? '\\t' : `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`,
  )

/** The same for a text of several lines, which stay lines. */
export const printableLines = (text: string): string => text.split('\n').map(printable).join('\n')
