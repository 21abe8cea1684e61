import { concernsServer, type Resource, type Scope, scopeKey } from '@netbox-pbs/core'
import type { SourceFrame } from '@netbox-pbs/core/ports'

/** How long a job reads on before it notes again how far it is. */
const noteMillis = 1000

/** What was last heard of the server itself, without measuring it. `at` is RFC 3339. */
export type Heard =
  | { readonly _tag: 'answered'; readonly at: string; readonly latencyMs: null }
  | {
      readonly _tag: 'failed'
      readonly at: string
      readonly code: string
      readonly message: string
      readonly presentedFingerprint: string | null
    }

/** What one attempt at a job has seen so far. */
export class JobProgress {
  readonly #ended = new Set<string>()
  readonly #endedKinds = new Set<Resource | 'namespaces'>()
  #rows = 0
  #nextNote = 0
  /** Scopes that were listed to their end. */
  completed = 0
  /** The last word on whether the server itself answers; null: nothing was heard. */
  heard: Heard | null = null

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
  ended(resource: Resource): boolean {
    return this.#endedKinds.has(resource)
  }

  completedScope(scope: Scope, rows: number, at: string): void {
    this.#end(scope)
    this.#rows += rows
    this.completed++
    this.heard = { _tag: 'answered', at, latencyMs: null }
  }

  endedScope(scope: Scope): void {
    this.#end(scope)
  }

  /** Takes note of a scope that the source could not list. False: that says nothing of the server as a whole. */
  hearFailure(frame: Extract<SourceFrame, { readonly _tag: 'failed' }>, at: string): boolean {
    const { code, message, presentedFingerprint = null } = frame
    if (!concernsServer(code)) return false
    this.heard = { _tag: 'failed', at, code, message, presentedFingerprint }
    return true
  }

  #end(scope: Scope): void {
    this.#ended.add(scopeKey(scope))
    this.#endedKinds.add(scope.resource)
  }
}
