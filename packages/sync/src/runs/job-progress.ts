import { type FailureScope, failureScope, type Resource, type Scope, scopeKey } from '@netbox-pbs/core'
import type { SourceFrame } from '@netbox-pbs/core/ports'

/** How long a job reads on before it notes again how far it is. */
const noteMillis = 1000

/** The latest contact with the server itself. `at` is RFC 3339; `latencyMs` null: it was not measured. */
export type ContactReport =
  | { readonly _tag: 'answered'; readonly at: string; readonly latencyMs: number | null; readonly listed?: boolean }
  | {
      readonly _tag: 'failed'
      readonly at: string
      readonly code: string
      readonly message: string
      readonly presentedFingerprint: string | null
    }

/** Scopes that only a token which sees datastores can complete. */
const listsOfStores: ReadonlySet<Scope['resource']> = new Set(['datastores', 'namespaces', 'snapshots'])

/**
 * The key of a scope within one job: its server is always the same one, also when it is renamed
 * between two resources.
 */
const keyOf = (scope: Scope): string => scopeKey(scope.resource === 'servers' ? scope : { ...scope, server: '' })

/** The progress of one attempt at a job. */
export class JobProgress {
  readonly #ended = new Set<string>()
  readonly #endedKinds = new Set<Resource | 'namespaces'>()
  readonly #completedKinds = new Set<Resource | 'namespaces'>()
  readonly #partialKinds = new Set<Resource>()
  #rows = 0
  #nextNote = 0
  /** Scopes that were listed completely. */
  completed = 0
  /** The latest contact with the server itself; null: there was none. */
  lastContact: ContactReport | null = null
  /** The ceiling of requests that left scopes out, as a sentence; null: none did. */
  limit: string | null = null
  /** A list failed in a way that may be the server's failure, and there was no contact with the server since. */
  upstreamHold: Extract<ContactReport, { readonly _tag: 'failed' }> | null = null

  /** Whether it is time to record the progress; a call starts the next second. */
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
    return this.#ended.has(keyOf(scope))
  }

  /** Whether a scope of this kind was listed completely and no row of the kind stayed hidden or unread. */
  hasSeenAll(resource: Resource): boolean {
    return this.#completedKinds.has(resource) && !this.#partialKinds.has(resource)
  }

  /** Records that rows of this kind exist which the job does not get. */
  recordPartial(resource: Resource): void {
    this.#partialKinds.add(resource)
  }

  /** Whether any scope of this kind has ended. */
  ended(resource: Resource): boolean {
    return this.#endedKinds.has(resource)
  }

  completedScope(scope: Scope, rows: number, at: string): void {
    this.#completedKinds.add(scope.resource)
    this.#end(scope)
    this.#rows += rows
    this.completed++
    this.record({ _tag: 'answered', at, latencyMs: null, listed: listsOfStores.has(scope.resource) })
  }

  endedScope(scope: Scope): void {
    this.#end(scope)
  }

  /**
   * Records a contact with the server. An answer alone does not clear the error of a token that
   * sees no datastore.
   */
  record(report: ContactReport): void {
    this.upstreamHold = null
    const before = this.lastContact
    if (report._tag === 'failed') this.lastContact = report
    else if (report.listed === true || before?._tag !== 'failed' || before.code !== 'forbidden') {
      const listed = report.listed === true || (before?._tag === 'answered' && before.listed === true)
      this.lastContact = { ...report, listed }
    }
  }

  /**
   * Records a scope that the source could not list, and returns the origin of the failure. If the
   * source got an answer of the server after it, the list alone has failed.
   */
  onFailure(frame: Extract<SourceFrame, { readonly _tag: 'failed' }>, at: string): FailureScope {
    const { code, message, presentedFingerprint = null, serverAnswers = false } = frame
    const failed = { _tag: 'failed', at, code, message, presentedFingerprint } as const
    const whose = failureScope(code)
    if (whose === 'unclear' && serverAnswers) {
      this.record({ _tag: 'answered', at, latencyMs: null })
      return 'list'
    }
    if (whose === 'server' || (code === 'forbidden' && frame.scope.resource === 'datastores')) this.record(failed)
    if (whose === 'unclear') this.upstreamHold = failed
    return whose
  }

  #end(scope: Scope): void {
    this.#ended.add(keyOf(scope))
    this.#endedKinds.add(scope.resource)
  }
}
