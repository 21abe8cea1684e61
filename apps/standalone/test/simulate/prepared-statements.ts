import { type ParserOptions, type PGlite, protocol, type QueryOptions, type Results } from '@electric-sql/pglite'

const { serialize } = protocol

interface Column {
  readonly name: string
  readonly type: number
}

/** What the engine said of a statement that it has prepared. */
interface Prepared {
  readonly name: string
  readonly types: ReadonlyArray<number>
  readonly columns: ReadonlyArray<Column>
}

/** Statements that are kept; the texts of a few differ each time. */
const most = 1500

const [execute, sync] = [Buffer.from(serialize.execute({})), Buffer.from(serialize.sync())]

/**
 * The engine's `query`, with statements that are parsed and planned once, and with messages that are
 * sent and read here: half of the time of a short statement is the engine's own work with them.
 */
export class PreparedStatements {
  readonly #pglite: PGlite
  readonly #prepared = new Map<string, Prepared>()
  readonly #simple = new Map<string, Uint8Array>()
  readonly #parsers = new WeakMap<object, ParserOptions>()
  #named = 0

  constructor(pglite: PGlite) {
    this.#pglite = pglite
  }

  query<Row extends object>(
    text: string,
    values: ReadonlyArray<unknown> = [],
    options: QueryOptions = {},
  ): Results<Row> {
    const { name, types, columns } = this.#prepared.get(text) ?? this.#prepare(text)
    const sent = types.map((type, place) => {
      const value = values[place]
      if (value === null || value === undefined) return null
      const serializer = options.serializers?.[type] ?? this.#pglite.serializers[type]
      return serializer === undefined ? String(value) : serializer(value)
    })
    const answer = this.#send(Buffer.concat([serialize.bind({ statement: name, values: sent }), execute, sync]))
    const parsers = this.#parsersWith(options.parsers)
    const [result] = resultsOf<Row>(answer, columns, { parsers, rowMode: options.rowMode })
    return result ?? { rows: [], fields: [], affectedRows: 0 }
  }

  /** Several statements in one text, which has no values. */
  exec(text: string, options: QueryOptions = {}): Array<Results> {
    let message = this.#simple.get(text)
    if (message === undefined) {
      message = serialize.query(text)
      if (this.#simple.size < most) this.#simple.set(text, message)
    }
    const parsers = this.#parsersWith(options.parsers)
    return resultsOf(this.#send(message), [], { parsers, rowMode: options.rowMode })
  }

  /** The engine adds a caller's readers to its hundreds at each statement; here they are added once. */
  #parsersWith(own: QueryOptions['parsers']): ParserOptions {
    if (own === undefined) return this.#pglite.parsers
    const known = this.#parsers.get(own)
    if (known !== undefined) return known
    const all = { ...this.#pglite.parsers, ...own }
    this.#parsers.set(own, all)
    return all
  }

  #prepare(text: string): Prepared {
    if (this.#prepared.size >= most) {
      this.exec('deallocate all')
      this.#prepared.clear()
    }
    this.#named += 1
    const name = `s${this.#named}`
    const parsed = this.#send(
      Buffer.concat([serialize.parse({ name, text }), serialize.describe({ type: 'S', name }), serialize.sync()]),
    )
    const prepared = { name, types: [] as Array<number>, columns: [] as Array<Column> }
    for (const { code, start } of messagesOf(parsed)) {
      if (code === 't')
        for (let at = 0; at < parsed.readInt16BE(start); at += 1)
          prepared.types.push(parsed.readUInt32BE(start + 2 + 4 * at))
      else if (code === 'T') prepared.columns.push(...columnsOf(parsed, start))
    }
    this.#prepared.set(text, prepared)
    return prepared
  }

  /** The engine's answer, which its own reader turns into an error when there is one. */
  #send(message: Uint8Array): Buffer {
    const { buffer, byteOffset, byteLength } = this.#pglite.execProtocolRawSync(message)
    const answer = Buffer.from(buffer, byteOffset, byteLength)
    for (const { code, start, end } of messagesOf(answer))
      if (code === 'E')
        new protocol.Parser().parse(answer.subarray(start - 5, end), (error) => {
          throw error
        })
    return answer
  }
}

/** The messages of an answer: a letter, and where its content begins and ends. */
function* messagesOf(
  answer: Buffer,
): Generator<{ readonly code: string; readonly start: number; readonly end: number }> {
  for (let at = 0; at < answer.length; ) {
    const end = at + 1 + answer.readInt32BE(at + 1)
    yield { code: String.fromCharCode(answer[at] ?? 0), start: at + 5, end }
    at = end
  }
}

/** The result of each statement that an answer ends. Its columns may be known from before. */
function resultsOf<Row extends object>(
  answer: Buffer,
  known: ReadonlyArray<Column>,
  how: { readonly parsers: ParserOptions; readonly rowMode: QueryOptions['rowMode'] },
): Array<Results<Row>> {
  const results: Array<Results<Row>> = []
  let [columns, rows] = [known, [] as Array<unknown>]
  for (const { code, start, end } of messagesOf(answer)) {
    if (code === 'T') columns = columnsOf(answer, start)
    else if (code === 'D') {
      const fields = fieldsOf(answer, start, columns, how.parsers)
      rows.push(
        how.rowMode === 'array' ? fields : Object.fromEntries(columns.map(({ name }, at) => [name, fields[at]])),
      )
    } else if (code === 'C') {
      const tag = answer.toString('latin1', start, end - 1).split(' ')
      const count = Number(tag.at(-1))
      results.push({
        rows: rows as Array<Row>, // border: the rows have the type that the caller says
        fields: columns.map(({ name, type }) => ({ name, dataTypeID: type })),
        affectedRows: tag[0] === 'SELECT' || Number.isNaN(count) ? 0 : count,
        ...(Number.isNaN(count) ? {} : { rowCount: count }),
      })
      columns = []
      rows = []
    }
  }
  return results
}

function columnsOf(answer: Buffer, start: number): ReadonlyArray<Column> {
  let at = start + 2
  return Array.from({ length: answer.readInt16BE(start) }, () => {
    const end = answer.indexOf(0, at)
    const column = { name: answer.toString('utf8', at, end), type: answer.readUInt32BE(end + 7) }
    at = end + 19
    return column
  })
}

function fieldsOf(
  answer: Buffer,
  start: number,
  columns: ReadonlyArray<Column>,
  parsers: ParserOptions,
): ReadonlyArray<unknown> {
  let at = start + 2
  return columns.map(({ type }) => {
    const length = answer.readInt32BE(at)
    at += 4
    if (length < 0) return null
    const text = answer.toString('utf8', at, at + length)
    at += length
    const parser = parsers[type]
    return parser === undefined ? text : parser(text)
  })
}
