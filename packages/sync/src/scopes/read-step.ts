import { type Reason, type Resource, type Scope, scopeKey, scopeTitle, type Warning } from '@netbox-pbs/core'
import type { SourceCost, SourceFrame } from '@netbox-pbs/core/ports'

/** A frame that carries a row. */
export type RowFrame = Extract<
  SourceFrame,
  {
    readonly _tag:
      | 'server'
      | 'datastore'
      | 'namespace'
      | 'job'
      | 'group'
      | 'unchanged_group'
      | 'unchanged_frame'
      | 'task'
  }
>

/**
 * The requested list: frames of anything else break the contract. `server` is null for the list of
 * servers itself.
 */
export interface Requested {
  readonly resource: Resource
  readonly server: string | null
  /** Requests that it may cost; left out: any number. */
  readonly mostRequests?: number
}

/** The meaning of a frame in its place in the stream. */
export type Step =
  | { readonly _tag: 'opened'; readonly scope: Scope }
  | { readonly _tag: 'row'; readonly frame: RowFrame }
  | { readonly _tag: 'completed'; readonly count: number; readonly visibility: string | null; readonly leftOut: number }
  | { readonly _tag: 'failed'; readonly scope: Scope; readonly reason: Reason }
  | { readonly _tag: 'opened_above'; readonly scope: Scope }
  | { readonly _tag: 'failed_above'; readonly reason: Reason }
  | { readonly _tag: 'warned'; readonly warning: Warning }
  | { readonly _tag: 'ended'; readonly costs: ReadonlyArray<SourceCost> }
  | { readonly _tag: 'broken'; readonly message: string }

/**
 * Interprets one frame in view of the open scope; this pure function has all rules of the stream.
 * `broken`: the rest of the stream cannot be interpreted.
 */
export function readStep(requested: Requested, open: Scope | null, frame: SourceFrame): Step {
  switch (frame._tag) {
    case 'scope':
      if (open !== null) return broken(`${scopeTitle(frame.scope)} opened while ${scopeTitle(open)} were open`)
      if (isAbove(requested, frame.scope)) return { _tag: 'opened_above', scope: frame.scope }
      if (!belongs(requested, frame.scope)) return broken(`${scopeTitle(frame.scope)} were not requested`)
      return { _tag: 'opened', scope: frame.scope }
    case 'complete':
      if (open === null || scopeKey(open) !== scopeKey(frame.scope))
        return broken(`${scopeTitle(frame.scope)} ended without having been opened`)
      if (isAbove(requested, open)) return broken(`${scopeTitle(open)} completed where only their failure is allowed`)
      return { _tag: 'completed', count: frame.count, visibility: frame.visibility, leftOut: frame.leftOut ?? 0 }
    case 'failed':
      return failed(requested, open, frame)
    case 'warning': {
      const { scope, code, message } = frame
      return { _tag: 'warned', warning: { scope, code, message, count: 1 } }
    }
    case 'end':
      return open === null
        ? { _tag: 'ended', costs: frame.costs ?? [] }
        : broken(`the stream ended inside ${scopeTitle(open)}`)
    default:
      if (open === null) return broken(`a ${frame._tag} came outside of any scope`)
      return !isAbove(requested, open) && fits(open, frame)
        ? { _tag: 'row', frame }
        : broken(`${scopeTitle(open)} list a ${frame._tag} of elsewhere`)
  }
}

function failed(
  requested: Requested,
  open: Scope | null,
  { scope, code, message }: Extract<SourceFrame, { _tag: 'failed' }>,
): Step {
  const above = isAbove(requested, scope)
  if (open === null ? !above && !belongs(requested, scope) : scopeKey(open) !== scopeKey(scope)) {
    return broken(`${scopeTitle(scope)} failed without having been opened`)
  }
  const reason = { code, message }
  return above ? { _tag: 'failed_above', reason } : { _tag: 'failed', scope, reason }
}

/** A source that cannot even tell a server's datastores says so in their name, and means every snapshot below. */
function isAbove({ resource, server }: Requested, scope: Scope): boolean {
  return resource === 'snapshots' && scope.resource === 'datastores' && scope.server === server
}

const broken = (message: string): Step => ({ _tag: 'broken', message })

function belongs({ resource, server }: Requested, scope: Scope): boolean {
  if (scope.resource === 'servers') return resource === 'servers'
  const kind = scope.resource === 'namespaces' ? 'snapshots' : scope.resource
  return kind === resource && scope.server === server
}

function fits(scope: Scope, frame: RowFrame): boolean {
  if (frame._tag === 'server') return scope.resource === 'servers'
  if (scope.resource === 'servers' || scope.server !== frame.server) return false
  switch (frame._tag) {
    case 'datastore':
      return scope.resource === 'datastores'
    case 'namespace':
      return scope.resource === 'namespaces' && scope.datastore === frame.facts.datastore_name
    case 'job':
      return scope.resource === 'jobs' && scope.job_type === frame.facts.job_type
    case 'group':
    case 'unchanged_group':
    case 'unchanged_frame':
      return scope.resource === 'snapshots'
    case 'task':
      return scope.resource === 'tasks'
  }
}
