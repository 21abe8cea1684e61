import { addRows, type ModelName, noRows, type RowCounts } from '@netbox-pbs/core'
import type { Kysely, RawBuilder } from 'kysely'
import type { Database } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import type { Writer } from '../writes/writer.ts'
import { landCreates } from './land-creates.ts'
import { unlistGroups } from './land-groups.ts'
import { type Deletable, isDeletable } from './land-held-deletions.ts'
import { holdDeletes, isParent, type LastSeen, landDeletes, landUpdates, unlistNamespaces } from './land-rows.ts'
import { eachWindow, type Window } from './windows.ts'

/** What the landing of a part's windows needs. */
export interface WindowStep {
  readonly db: Kysely<Tables>
  readonly engine: Database['Type']['engine']
  readonly writer: Writer
  /** When it lands, RFC 3339. */
  readonly at: string
  readonly lastSeen: LastSeen
  /** The model that the scope itself lists; null: the part is of more than one scope. */
  readonly own: ModelName | null
  /** Which deletions land. */
  readonly deletable: Deletable
  /** Rows of the scope's own model that stay so far although its list lacks them. */
  readonly held: { rows: number; grown: number }
  /** Rows created so far, by model: the log sums them up. */
  readonly made: Map<ModelName, number>
}

/** Creates and changes the rows of some windows. */
export async function landUpserts(
  { db, engine, writer, made }: WindowStep,
  windows: ReadonlyArray<Window>,
  model: ModelName,
): Promise<RowCounts> {
  const written = windows.filter(({ creates, updates }) => creates + updates > 0)
  return await countWindows(engine, written, async (window) => {
    const { created, updated } = window.creates === 0 ? noRows : await landCreates(db, model, window, writer.origin)
    add(made, model, created)
    const changed = window.updates === 0 ? 0 : await landUpdates(db, model, window, writer.origin)
    return { ...noRows, created, updated: updated + changed }
  })
}

/** Adds created rows to the counts by model. */
export function add(made: Map<ModelName, number>, model: ModelName, rows: number): void {
  if (rows > 0) made.set(model, (made.get(model) ?? 0) + rows)
}

/** Deletes the deletable rows of some windows, and keeps the others as missing. */
export async function landDeletions(
  { db, engine, at, own, lastSeen, writer, deletable: which, held }: WindowStep,
  windows: ReadonlyArray<Window>,
  model: ModelName,
): Promise<RowCounts> {
  const withDeletions = windows.filter(({ deletes, holds }) => deletes + holds > 0)
  return await countWindows(engine, withDeletions, async (window) => {
    const going = isDeletable(which, model === 'group' ? 'g' : 'm')
    const deleted =
      going === null ? noRows : await deleteRows(db, model, window, { lastSeen, writer, deletable: going })
    // A row that was just deleted is not held.
    if (which.listed && which.missing && window.holds === 0 && !isParent(model)) return deleted
    const stay = await holdDeletes(db, model, window, { at, lastSeen })
    if (model === own) {
      held.rows += stay.rows
      held.grown += stay.grown
    }
    return deleted
  })
}

/**
 * Lands a window's deletions. A group only leaves its source's list; `recountLandedGroups` deletes
 * it with its last snapshot.
 */
async function deleteRows(
  db: Kysely<Tables>,
  model: ModelName,
  window: Window,
  {
    lastSeen,
    writer,
    deletable,
  }: Pick<WindowStep, 'lastSeen' | 'writer'> & { readonly deletable: RawBuilder<boolean> },
): Promise<RowCounts> {
  if (model === 'group') {
    await unlistGroups(db, window, deletable, lastSeen)
    return noRows
  }
  const updated = model === 'namespace' ? await unlistNamespaces(db, window, deletable, lastSeen) : 0
  return { ...noRows, updated, deleted: await landDeletes(db, model, window, { deletable, writer }) }
}

async function countWindows(
  engine: WindowStep['engine'],
  windows: ReadonlyArray<Window>,
  apply: (window: Window) => Promise<RowCounts>,
): Promise<RowCounts> {
  let counts = noRows
  await eachWindow(engine, windows, async (window) => {
    counts = addRows(counts, await apply(window))
  })
  return counts
}
