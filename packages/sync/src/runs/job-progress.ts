import { type Resource, type Scope, type ScopeOutcome, scopeKey } from '@netbox-pbs/core'

/** How long a job reads on before it notes again how far it is. */
const noteMillis = 1000

/** What one attempt at a job has seen so far. */
export class JobProgress {
  readonly #ended = new Set<string>()
  readonly #heard = new Set<Resource | 'namespaces'>()
  #rows = 0
  #nextNote = 0
  /** Scopes that were listed to their end. */
  completed = 0
  /** The last word on whether the server itself answers; null: nothing was heard. */
  contact: 'reachable' | 'unreachable' | null = null
  /** When the server last completed a scope. */
  lastSeenAt: string | null = null

  /** Whether it is time to note how far it is; asking is what starts the next second. */
  noteDue(millis: number): boolean {
    if (millis < this.#nextNote) return false
    this.#nextNote = millis + noteMillis
    return true
  }

  /** Rows of the scopes that have ended. */
  get rows(): number {
    return this.#rows
  }

  hasEnded(scope: Scope): boolean {
    return this.#ended.has(scopeKey(scope))
  }

  /** Whether any scope of this kind has ended. */
  heard(resource: Resource): boolean {
    return this.#heard.has(resource)
  }

  completedScope(scope: Scope, rows: number, at: string): void {
    this.#end(scope)
    this.#rows += rows
    this.completed++
    this.contact = 'reachable'
    this.lastSeenAt = at
  }

  endedScope(scope: Scope, outcome: ScopeOutcome, code: string): void {
    this.#end(scope)
    if (outcome === 'failed' && contactLost.has(code)) this.contact = 'unreachable'
  }

  #end(scope: Scope): void {
    this.#ended.add(scopeKey(scope))
    this.#heard.add(scope.resource)
  }
}

/** Codes with which a scope fails because its server could not be talked to. */
const contactLost = new Set(['unreachable', 'timeout', 'tls_fingerprint_mismatch', 'tls_untrusted'])
