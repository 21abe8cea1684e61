import type { ChangeAction, LoggedChange, LoggedValues } from '../change-log.ts'

/** The part of an entry of the change log that undoes it. */
type Undoable = Pick<LoggedChange, 'action' | 'before'>

/**
 * The values of an object as an entry of the change log left them: its present values (null: it is
 * gone) with the later entries undone, newest first. Null: the object was gone then.
 */
export function valuesAfter(present: LoggedValues | null, later: ReadonlyArray<Undoable>): LoggedValues | null {
  let values = present
  for (const { action, before } of later) {
    if (action === 'create') values = null
    else if (action === 'delete') values = before
    else if (values !== null) values = { ...values, ...before }
  }
  return values
}

/**
 * What one request did to one object, as NetBox coalesces it: of entries oldest first, at least one.
 * A deletion wins over what came before it, and an update of a new object is part of its creation.
 */
export function coalesced(entries: readonly [Undoable, ...ReadonlyArray<Undoable>]): {
  readonly action: ChangeAction
  /** The values before the request, of those fields that it changed; of a deletion all. Null: there was no object. */
  readonly before: LoggedValues | null
} {
  const newestFirst = [...entries].reverse()
  const last = newestFirst[0]?.action
  const [first] = entries
  if (last === 'delete') return { action: 'delete', before: withoutCreations(newestFirst) }
  if (first.action === 'create') return { action: 'create', before: null }
  return { action: 'update', before: valuesAfter({}, newestFirst) }
}

/** The object as the request found it; one that it also made, as it was when it was deleted. */
const withoutCreations = (newestFirst: ReadonlyArray<Undoable>): LoggedValues | null =>
  valuesAfter(
    null,
    newestFirst.filter(({ action }) => action !== 'create'),
  )
