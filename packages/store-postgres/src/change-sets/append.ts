import { type FieldValue, type ModelName, type Sightings, scopeKey, scopeTitle } from '@netbox-pbs/core'
import { type Appended, ChangeSetClosed, type GroupDigest, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { sql } from 'kysely'
import type { Database } from '../database/database.ts'
import { jsonb } from '../database/json.ts'
import type { Run } from '../database/session.ts'
import { ownObservations } from '../tables/columns.ts'
import { stageRows } from './stage-rows.ts'
import { type InitialObservations, keyParts, stagedRows } from './staged-rows.ts'

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
  yield* database.transaction(`staging ${scopeTitle(scope)}`, (run) =>
    Effect.gen(function* () {
      const sighted = sightedRows(sightings)
      if (changes.length + observed.length + digests.length + sighted.length === 0)
        return yield* requireOpen(run, changeSet, 'share')
      const part = yield* openPart(run, changeSet, scopeKey(scope))
      const { readings, later } = initialObservations(model, changes, observed)
      for (const rows of batches(stagedRows(model, changes, { held: held !== undefined, readings })))
        yield* stageRows(run, part, model, rows)
      for (const rows of batches(later)) yield* stageObservations(run, part, rows)
      for (const rows of batches(digests)) yield* stageDigests(run, part, rows)
      for (const rows of batches(sighted)) yield* stageSightings(run, part, model, rows)
    }),
  )
})

/** A reading of one row, whatever its model. */
interface StagedObservation {
  readonly key: string
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
): { readonly readings: InitialObservations; readonly later: ReadonlyArray<StagedObservation> } {
  if (ownObservations(model).length === 0) return { readings: new Map(), later: observed }
  const created = new Set(changes.flatMap((change) => (change._tag === 'create' ? [change.key] : [])))
  const first = observed.filter(({ key }) => created.has(key))
  return {
    readings: new Map(first.map(({ key, values }) => [key, values as Readonly<Record<string, FieldValue>>])), // border: the port knows their fields
    later: observed.filter(({ key }) => !created.has(key)),
  }
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

/** Locks an open change set until the end of the transaction, so that it cannot be closed meanwhile. */
export function requireOpen(
  run: Run,
  changeSet: number,
  lock: 'share' | 'update',
): Effect.Effect<void, StoreFailed | ChangeSetClosed> {
  return run((db) =>
    sql`select from change_sets where id = ${changeSet}::bigint for ${sql.raw(lock)}`.execute(db),
  ).pipe(Effect.flatMap(({ rows }) => (rows.length === 1 ? Effect.void : new ChangeSetClosed({ changeSet }))))
}

/** The part of an open change set that waits for a scope; a new one when there is none. Locks the change set as `requireOpen` does. */
function openPart(run: Run, changeSet: number, key: string): Effect.Effect<number, StoreFailed | ChangeSetClosed> {
  return run((db) =>
    // The no-op update makes the statement return the existing row.
    sql<{ id: number }>`
      insert into change_set_parts (change_set_id, scope_key)
      select id, ${key} from change_sets where id = ${changeSet}::bigint for share
      on conflict (change_set_id, scope_key) where waiting do update set scope_key = excluded.scope_key
      returning id`.execute(db),
  ).pipe(
    Effect.flatMap(({ rows: [part] }) =>
      part === undefined ? new ChangeSetClosed({ changeSet }) : Effect.succeed(part.id),
    ),
  )
}

function stageObservations(run: Run, part: number, rows: ReadonlyArray<StagedObservation>) {
  const parsed = rows.map(({ key, values }) => ({ key: keyParts(key), values }))
  return run((db) =>
    sql`insert into staged_observations (part_id, key, values)
      select ${part}::bigint, key, values from jsonb_to_recordset(${jsonb(parsed)}) as r (key jsonb, values jsonb)`.execute(
      db,
    ),
  )
}

function stageDigests(run: Run, part: number, rows: ReadonlyArray<GroupDigest>) {
  const parsed = rows.map(({ key, digest, listed }) => {
    const [, , , backup_type, backup_id] = keyParts(key)
    return { backup_type, backup_id, digest, listed_count: listed }
  })
  return run((db) =>
    sql`insert into staged_digests (part_id, backup_type, backup_id, digest, listed_count)
      select ${part}::bigint, backup_type, backup_id, digest, listed_count
      from jsonb_to_recordset(${jsonb(parsed)}) as r (backup_type text, backup_id text, digest text, listed_count bigint)`.execute(
      db,
    ),
  )
}

function stageSightings(run: Run, part: number, model: ModelName, rows: ReadonlyArray<SightedRow>) {
  return run((db) =>
    sql`insert into staged_sightings (part_id, model, id, absent)
      select ${part}::bigint, ${model}, id, absent from jsonb_to_recordset(${jsonb(rows)}) as r (id bigint, absent boolean)`.execute(
      db,
    ),
  )
}

function* batches<A>(rows: ReadonlyArray<A>): Generator<ReadonlyArray<A>> {
  for (let from = 0; from < rows.length; from += batchSize) yield rows.slice(from, from + batchSize)
}
