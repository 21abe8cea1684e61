import { Dispatcher } from 'undici'
import type { SimulatedProcess } from './simulated-process.ts'

/** A request as it leaves undici. */
export interface DispatchedRequest {
  readonly origin: string
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
  /** Aborted when the client leaves. */
  readonly signal: AbortSignal
}

/** An answer on its way; a body that throws breaks the connection off. */
export interface DispatchedAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: AsyncIterable<Uint8Array>
}

/** Answers a request; it fails where no connection comes about. */
export type Answer = (request: DispatchedRequest) => Promise<DispatchedAnswer>

/** The errors that undici has for connections. */
export const connectionError = (code: 'ECONNREFUSED' | 'ECONNRESET' | 'UND_ERR_SOCKET'): Error =>
  Object.assign(new Error(code === 'UND_ERR_SOCKET' ? 'other side closed' : code), { code })

/** The handler of undici's own `request`. */
interface RequestHandler {
  onConnect: (abort: (reason?: Error) => void, context: null) => void
  onHeaders: (status: number, headers: Array<Buffer>, resume: () => void, text: string) => boolean
  onData: (chunk: Buffer) => boolean
  onComplete: (trailers: Array<Buffer>) => void
  onError: (error: Error) => void
}

/** The connections of a process to something in this process: undici without sockets. */
export class InProcessDispatcher extends Dispatcher {
  readonly #owner: SimulatedProcess
  readonly #answer: Answer
  readonly #open = new Set<(error: Error) => void>()

  constructor(owner: SimulatedProcess, answer: Answer) {
    super()
    this.#owner = owner
    this.#answer = answer
  }

  override dispatch(options: Dispatcher.DispatchOptions, given: Dispatcher.DispatchHandler): boolean {
    const handler = given as unknown as RequestHandler // border: undici's request has the methods of its release 6
    const left = new AbortController()
    const takeBack = this.#owner.onKill(() => left.abort())
    const fail = (error: Error): void => {
      if (!this.#open.delete(fail)) return
      takeBack()
      left.abort()
      if (this.#owner.isAlive) handler.onError(error)
    }
    this.#open.add(fail)
    handler.onConnect((reason) => fail(reason ?? new Error('aborted')), null)
    this.#carry(options, handler, {
      isOpen: () => this.#open.has(fail) && this.#owner.isAlive,
      signal: left.signal,
    }).then(
      () => {
        takeBack()
        this.#open.delete(fail)
      },
      (error: unknown) => fail(error instanceof Error ? error : new Error(String(error))),
    )
    return true
  }

  async #carry(
    { origin, method, path, headers, body }: Dispatcher.DispatchOptions,
    handler: RequestHandler,
    { isOpen, signal }: { readonly isOpen: () => boolean; readonly signal: AbortSignal },
  ): Promise<void> {
    const answer = await this.#answer({
      origin: String(origin ?? ''),
      method,
      path,
      headers: Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)])),
      body: typeof body === 'string' ? body : null,
      signal,
    })
    if (!isOpen()) return
    let resumed = () => {}
    const raw = Object.entries(answer.headers).flatMap(([name, value]) => [Buffer.from(name), Buffer.from(value)])
    handler.onHeaders(answer.status, raw, () => resumed(), '')
    for await (const chunk of answer.body) {
      if (!isOpen()) return
      if (!handler.onData(Buffer.from(chunk)))
        await new Promise<void>((resolve) => {
          resumed = resolve
          signal.addEventListener('abort', () => resolve(), { once: true })
        })
    }
    if (isOpen()) handler.onComplete([])
  }

  override async close(): Promise<void> {
    await this.destroy()
  }

  override async destroy(): Promise<void> {
    for (const fail of this.#open) fail(new Error('the client is destroyed'))
  }
}
