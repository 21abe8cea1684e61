import { connect, type Socket } from 'node:net'
import { serialize } from 'pg-protocol'
import type { DatabaseFault } from './database-faults.ts'
import { fatalError, startupParameters, statementText, type WireMessage, WireMessages } from './wire-messages.ts'

/** A statement as a client sends it: a `Query`, or the messages from `Parse` to `Sync`. */
export interface Statement {
  readonly text: string
  /** Of the connection, as the client names it. */
  readonly applicationName: string
}

/** What a connection asks its relay. */
interface Relay {
  /** The URL of the database behind it. */
  readonly destination: () => Promise<string>
  /** Whether new connections are refused. */
  readonly refused: () => boolean
  /** Counts a statement, and says which fault it meets. */
  readonly meet: (statement: Statement) => DatabaseFault | null
}

/** Messages of a client that belong to the statement that its `Sync` ends. */
const extended = new Set(['P', 'B', 'D', 'E', 'C'])

/** One client's connection and the one to the server behind it. */
export class RelayedConnection {
  readonly #client: Socket
  readonly #relay: Relay
  #server: Socket | null = null
  #applicationName = ''
  /** The messages of a statement whose `Sync` has not come yet. */
  #begun: Array<Buffer> = []
  #text = ''
  /** What happens at the end of the statement whose answer is withheld. */
  #atAnswer: (() => void) | null = null
  /** Both sides are kept and nothing is passed on, also not that the client has left. */
  silent = false

  constructor(client: Socket, relay: Relay) {
    this.#client = client
    this.#relay = relay
    const messages = new WireMessages({ startup: true })
    client.on('data', (bytes: Buffer) => {
      for (const message of messages.take(bytes)) this.#fromClient(message)
    })
    client.on('error', () => undefined)
    client.on('close', () => {
      if (!this.silent) this.#server?.destroy()
    })
  }

  /** Calls back when neither side is open any more. */
  onEnd(ended: () => void): void {
    const look = () => {
      if (this.#client.destroyed && (this.#server === null || this.#server.destroyed)) ended()
    }
    this.#client.on('close', look)
    this.#atServer = (server) => server.on('close', look)
  }
  #atServer: (server: Socket) => void = () => undefined

  /** Closes both sides at once. */
  cut(): void {
    this.silent = false
    this.#client.destroy()
    this.#server?.destroy()
  }

  #fromClient(message: WireMessage): void {
    if (this.silent) return
    const { type, bytes } = message
    if (type === '') this.#begin(message).catch(() => this.cut())
    else if (type === 'Q') this.#statement(statementText(message), bytes)
    else if (type === 'S') {
      const [text, begun] = [this.#text, this.#begun]
      this.#begun = []
      this.#text = ''
      this.#statement(text, Buffer.concat([...begun, bytes]))
    } else if (extended.has(type)) {
      if (type === 'P') this.#text = statementText(message)
      this.#begun.push(bytes)
    } else {
      this.#server?.write(Buffer.concat([...this.#begun.splice(0), bytes]))
    }
  }

  async #begin(startup: WireMessage): Promise<void> {
    if (this.#relay.refused()) {
      this.#client.end(fatalError('53300', 'sorry, too many clients already'))
      return
    }
    const { application_name = '', ...parameters } = startupParameters(startup)
    this.#applicationName = application_name
    const to = new URL(await this.#relay.destination())
    if (this.#client.destroyed) return
    const server = connect(Number(to.port), to.hostname)
    this.#server = server
    this.#atServer(server)
    const messages = new WireMessages({ startup: false })
    server.on('data', (bytes: Buffer) => {
      for (const message of messages.take(bytes)) this.#fromServer(message)
    })
    server.on('error', () => undefined)
    server.on('close', () => {
      if (!this.silent) this.#client.end()
    })
    const database = decodeURIComponent(to.pathname.slice(1))
    server.write(serialize.startup({ ...parameters, application_name, database }))
  }

  #fromServer({ type, bytes }: WireMessage): void {
    if (this.silent) return
    if (this.#atAnswer === null) this.#client.write(bytes)
    // ReadyForQuery: all of the answer has come.
    else if (type === 'Z') this.#atAnswer()
  }

  #statement(text: string, bytes: Buffer): void {
    const fault = this.#relay.meet({ text, applicationName: this.#applicationName })
    switch (fault?.kind) {
      case undefined:
        this.#server?.write(bytes)
        break
      case 'cut':
        if (fault.when === 'before') this.cut()
        else this.#sendAndThen(bytes, () => this.cut())
        break
      case 'silence':
        if (fault.when === 'before') this.silent = true
        else {
          this.#sendAndThen(bytes, () => {
            this.silent = true
          })
        }
        break
      case 'error':
      case 'end':
        // The server itself fails, so that its transaction is in the state that the client believes.
        this.#server?.write(serialize.query(fault.statement))
        break
      case 'refusal':
      case 'move':
        this.cut()
    }
  }

  /** Sends a statement, and passes nothing of its answer on. */
  #sendAndThen(bytes: Buffer, done: () => void): void {
    this.#atAnswer = done
    this.#server?.write(bytes)
  }
}
