/** The record of a request, without any header's value. */
export interface RecordedRequest {
  readonly method: string
  /** As asked, without the query. */
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly authorizationSeen: boolean
  /** Names of the headers, lower case. */
  readonly headers: readonly string[]
}

/** The newest requests are kept; older ones are only counted. */
const KEPT = 20_000

/** The record of a simulator's requests. */
export class RequestLog {
  readonly #kept: RecordedRequest[] = []
  #total = 0

  add(request: RecordedRequest): void {
    this.#total += 1
    this.#kept.push(request)
    if (this.#kept.length > 2 * KEPT) this.#kept.splice(0, KEPT)
  }

  clear(): void {
    this.#kept.length = 0
    this.#total = 0
  }

  /** The newest requests, oldest first. */
  get entries(): readonly RecordedRequest[] {
    return this.#kept
  }

  get total(): number {
    return this.#total
  }
}
