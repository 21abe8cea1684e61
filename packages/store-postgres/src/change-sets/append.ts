import {
  type Change,
  type FieldValue,
  keyText,
  type ModelName,
  type NaturalKey,
  type Sightings,
  scopeKey,
  scopeTitle,
} from '@netbox-pbs/core'
import { type Appended, ChangeSetClosed, type GroupDigest, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../database/database.ts'
import { jsonb } from '../database/json.ts'
import type { Tables } from '../database/tables.ts'
import { ownObservations } from '../tables/columns.ts'
import { type InitialObservations, stageChanges } from './stage-changes.ts'

/**
 * Maximum number of rows in one statement: the embedded engine serves no one else during a
 * statement.
 */
const batchSize = 5000

/** Stages part of a scope's changes in one transaction. Fails when the change set is closed. */
export const append = Effect.fn('ChangeSets.append')(function* <M extends ModelName>(
  database: Database['Type'],
  { changeSet, scope, model, changes, held, observed = [], digests = [], sightings = noSightings }: WidePart<M>,
): Effect.fn.Return<void, StoreFailed | ChangeSetClosed> {
  yield* database.transaction(`staging ${scopeTitle(scope)}`, async (trx) => {
    const closed = new ChangeSetClosed({ changeSet })
    const sighted = sightedRows(sightings)
    if (changes.length + observed.length + digests.length + sighted.length === 0)
      return (await lockChangeSet(trx, changeSet, 'share')) ? undefined : closed
    const part = await openPart(trx, changeSet, scopeKey(scope))
    if (part === null) return closed
    const { initial, later } = initialObservations(model, changes, observed)
    const staging = { held: held !== undefined, observed: initial }
    for (const some of batches<Change>(changes)) await stageChanges(trx, part, model, some, staging)
    for (const rows of batches(later)) await stageObservations(trx, part, rows)
    for (const rows of batches(digests)) await stageDigests(trx, part, rows)
    for (const rows of batches(sighted)) await stageSightings(trx, part, model, rows)
  })
})

/** An observation of one row, whatever its model. */
interface StagedObservation {
  readonly key: NaturalKey
  readonly values: object
}

/**
 * Observations of rows that the same part creates are stored with the rows, where the model's table
 * holds them; `later` are all others.
 */
function initialObservations<M extends ModelName>(
  model: M,
  changes: Appended<M>['changes'],
  observed: ReadonlyArray<StagedObservation>,
): { readonly initial: InitialObservations; readonly later: ReadonlyArray<StagedObservation> } {
  if (ownObservations(model).length === 0) return { initial: new Map(), later: observed }
  const created = new Map(
    changes.flatMap((change) => (change._tag === 'create' ? [[keyText(change.key), change as Change]] : [])),
  )
  const initial = new Map<Change, Readonly<Record<string, FieldValue>>>()
  const later: Array<StagedObservation> = []
  for (const { key, values } of observed) {
    const creation = created.get(keyText(key))
    if (creation === undefined) later.push({ key, values })
    else initial.set(creation, values as Readonly<Record<string, FieldValue>>) // border: the port knows their fields
  }
  return { initial, later }
}

/**
 * The port's type forbids observations, digests and sightings by model; here they are lists that
 * may be empty.
 */
type WidePart<M extends ModelName> = Omit<Appended<M>, 'observed' | 'digests' | 'sightings'> & {
  readonly observed?: ReadonlyArray<StagedObservation>
  readonly digests?: ReadonlyArray<GroupDigest>
  readonly sightings?: Sightings
}

const noSightings: Sightings = { noted: [], returned: [] }

/** A row that is absent from now on, or listed again. */
interface SightedRow {
  readonly id: number
  readonly absent: boolean
}

const sightedRows = ({ noted, returned }: Sightings): ReadonlyArray<SightedRow> => [
  ...noted.map((id) => ({ id, absent: true })),
  ...returned.map((id) => ({ id, absent: false })),
]

/**
 * Locks an open change set until the end of the transaction, so that it cannot be closed meanwhile.
 * False: it is closed.
 */
export async function lockChangeSet(db: Kysely<Tables>, changeSet: number, lock: 'share' | 'update'): Promise<boolean> {
  const { rows } = await sql`select from change_sets where id = ${changeSet}::bigint for ${sql.raw(lock)}`.execute(db)
  return rows.length === 1
}

/**
 * The part of an open change set that waits for a scope; a new one when there is none. Locks the
 * change set as `lockChangeSet` does. Null: it is closed.
 */
async function openPart(db: Kysely<Tables>, changeSet: number, key: string): Promise<number | null> {
  // The no-op update makes the statement return the existing row.
  const { rows } = await sql<{ id: number }>`
    insert into change_set_parts (change_set_id, scope_key)
    select id, ${key} from change_sets where id = ${changeSet}::bigint for share
    on conflict (change_set_id, scope_key) where waiting do update set scope_key = excluded.scope_key
    returning id`.execute(db)
  return rows[0]?.id ?? null
}

async function stageObservations(
  db: Kysely<Tables>,
  part: number,
  rows: ReadonlyArray<StagedObservation>,
): Promise<void> {
  await sql`
    insert into staged_observations (part_id, key, values)
    select ${part}::bigint, key, values from jsonb_to_recordset(${jsonb(rows)}) as r (key jsonb, values jsonb)`.execute(
    db,
  )
}

async function stageDigests(db: Kysely<Tables>, part: number, rows: ReadonlyArray<GroupDigest>): Promise<void> {
  const parsed = rows.map(({ key, digest, listed }) => {
    const [, , , backup_type, backup_id] = key
    return { backup_type, backup_id, digest, listed_count: listed }
  })
  await sql`
    insert into staged_digests (part_id, backup_type, backup_id, digest, listed_count)
    select ${part}::bigint, backup_type, backup_id, digest, listed_count
    from jsonb_to_recordset(${jsonb(parsed)}) as r (backup_type text, backup_id text, digest text, listed_count bigint)`.execute(
    db,
  )
}

async function stageSightings(
  db: Kysely<Tables>,
  part: number,
  model: ModelName,
  rows: ReadonlyArray<SightedRow>,
): Promise<void> {
  await sql`
    insert into staged_sightings (part_id, model, id, absent)
    select ${part}::bigint, ${model}, id, absent from jsonb_to_recordset(${jsonb(rows)}) as r (id bigint, absent boolean)`.execute(
    db,
  )
}

function* batches<A>(rows: ReadonlyArray<A>): Generator<ReadonlyArray<A>> {
  for (let from = 0; from < rows.length; from += batchSize) yield rows.slice(from, from + batchSize)
}
