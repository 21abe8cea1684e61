/** A message of the PostgreSQL protocol. The first of a client has no type. */
export interface WireMessage {
  readonly type: string
  /** All of it, with its type and its length. */
  readonly bytes: Buffer
}

/**
 * Cuts what one side sends into messages, as "Message Formats" of PostgreSQL's manual describes: a
 * byte for the type, then a length that counts itself.
 */
export class WireMessages {
  #rest: Buffer = Buffer.alloc(0)
  #typed: boolean

  /** `startup`: the first message is a client's, without a type. */
  constructor({ startup }: { readonly startup: boolean }) {
    this.#typed = !startup
  }

  /** The messages that these bytes complete. */
  take(bytes: Buffer): ReadonlyArray<WireMessage> {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    const messages: Array<WireMessage> = []
    for (;;) {
      const typeLength = this.#typed ? 1 : 0
      if (this.#rest.length < typeLength + 4) return messages
      const end = typeLength + this.#rest.readUInt32BE(typeLength)
      if (this.#rest.length < end) return messages
      messages.push({
        type: this.#typed ? this.#rest.toString('latin1', 0, 1) : '',
        bytes: this.#rest.subarray(0, end),
      })
      this.#rest = this.#rest.subarray(end)
      this.#typed = true
    }
  }
}

/** The texts of a message, each ended by a zero byte, from a place in it on. */
const textsOf = (bytes: Buffer, from: number): ReadonlyArray<string> => bytes.toString('utf8', from).split('\0')

/** The parameters of a client's first message: `user`, `database`, `application_name` … */
export function startupParameters({ bytes }: WireMessage): Readonly<Record<string, string>> {
  const texts = textsOf(bytes, 8)
  const parameters: Record<string, string> = {}
  for (let at = 0; at + 1 < texts.length && texts[at] !== ''; at += 2) parameters[texts[at] ?? ''] = texts[at + 1] ?? ''
  return parameters
}

/** The text of a statement: of a `Query`, or of a `Parse` after the name. */
export function statementText({ type, bytes }: WireMessage): string {
  return textsOf(bytes, 5)[type === 'P' ? 1 : 0] ?? ''
}

/** An `ErrorResponse` that ends a session, or refuses to begin one. */
export function fatalError(code: string, message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${code}\0M${message}\0\0`)
  const head = Buffer.alloc(5)
  head.write('E', 'latin1')
  head.writeUInt32BE(fields.length + 4, 1)
  return Buffer.concat([head, fields])
}
