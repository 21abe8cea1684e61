import { type PGlite, parse, protocol, type QueryOptions, type Results } from '@electric-sql/pglite'

const { serialize } = protocol

/** What the engine said of a statement that it has prepared. */
interface Prepared {
  readonly name: string
  readonly types: ReadonlyArray<number>
}

/** Statements that are kept; the texts of a few differ each time. */
const most = 1500

/**
 * The engine's `query`, with statements that are parsed and planned once: most of the time of a
 * simulation went into plans for the same few hundred texts.
 */
export class PreparedStatements {
  readonly #pglite: PGlite
  readonly #prepared = new Map<string, Prepared>()
  readonly #seen = new Set<string>()
  readonly #parsers = new WeakMap<object, PGlite['parsers']>()
  #named = 0

  constructor(pglite: PGlite) {
    this.#pglite = pglite
  }

  async query<Row extends object>(
    text: string,
    values: ReadonlyArray<unknown> = [],
    options: QueryOptions = {},
  ): Promise<Results<Row>> {
    const known = options.paramTypes === undefined ? await this.#prepare(text) : undefined
    if (known === undefined) return this.#pglite.query<Row>(text, [...values], options)
    const sent = known.types.map((type, place) => {
      const value = values[place]
      if (value === null || value === undefined) return null
      const serializer = options.serializers?.[type] ?? this.#pglite.serializers[type]
      return serializer === undefined ? String(value) : serializer(value)
    })
    const messages = await this.#send([
      serialize.bind({ statement: known.name, values: sent }),
      serialize.describe({ type: 'P' }),
      serialize.execute({}),
      serialize.sync(),
    ])
    const { parsers, ...rest } = options
    const [result] = parse.parseResults(messages, this.#parsersWith(parsers), rest)
    return result as Results<Row> // border: the rows have the type that the caller says
  }

  /** The engine adds a caller's readers to its hundreds at each statement; here they are added once. */
  #parsersWith(own: QueryOptions['parsers']): PGlite['parsers'] {
    if (own === undefined) return this.#pglite.parsers
    const known = this.#parsers.get(own)
    if (known !== undefined) return known
    const all = { ...this.#pglite.parsers, ...own }
    this.#parsers.set(own, all)
    return all
  }

  /** Prepares a text that comes a second time. */
  async #prepare(text: string): Promise<Prepared | undefined> {
    const known = this.#prepared.get(text)
    if (known !== undefined) return known
    if (!this.#seen.has(text)) {
      this.#seen.add(text)
      return undefined
    }
    if (this.#prepared.size >= most) {
      await this.#pglite.exec('deallocate all')
      this.#prepared.clear()
    }
    this.#named += 1
    const name = `s${this.#named}`
    const messages = await this.#send([
      serialize.parse({ name, text }),
      serialize.describe({ type: 'S', name }),
      serialize.sync(),
    ])
    const prepared = { name, types: parse.parseDescribeStatementResults(messages) }
    this.#prepared.set(text, prepared)
    return prepared
  }

  #send(messages: ReadonlyArray<Uint8Array>): ReturnType<PGlite['execProtocolStream']> {
    return this.#pglite.execProtocolStream(Buffer.concat(messages), { syncToFs: false })
  }
}
