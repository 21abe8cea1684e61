import { compareKeys, keyPart, type NaturalKey, naturalKey } from '../key.ts'
import { type Fields, type FieldValue, type ModelName, sameValue } from '../registry/field.ts'
import { type Facts, fieldsOfClass, registry, type SharedKey } from '../registry/registry.ts'

/** A field that changes, with the value it had and the value it gets. */
export interface FieldChange {
  readonly field: string
  readonly base: FieldValue
  readonly value: FieldValue
}

/**
 * A row that main lacks. Fields of other classes take their defaults, and key columns are read from
 * `key`: `values` are the facts as their source gave them, without what its list said for all rows.
 */
export interface Create<M extends ModelName> {
  readonly _tag: 'create'
  /** Given when the row was staged in a branch; else the landing gives it one. */
  readonly id?: number
  readonly key: NaturalKey<M>
  readonly values: Omit<Facts<M>, SharedKey<M>>
}

/**
 * A row that both sides have and that differs in some field, or that was not `listed` before.
 * `fields` may be empty: then the source has only confirmed a row made by a user or held as missing.
 */
export interface Update<M extends ModelName = ModelName> {
  readonly _tag: 'update'
  readonly id: number
  readonly key: NaturalKey<M>
  readonly fields: ReadonlyArray<FieldChange>
  /** The row was manual or missing and is listed from now on. */
  readonly appears: boolean
  /** Immutable fields of a finished object that changed; each gives a warning. */
  readonly broken: ReadonlyArray<string>
}

/** A row that its source no longer lists, in a scope that was listed completely. */
export interface Delete<M extends ModelName = ModelName> {
  readonly _tag: 'delete'
  readonly id: number
  readonly key: NaturalKey<M>
  /** The row is missing already: its deletion was held back before. */
  readonly missing?: true
}

/** One change that brings main closer to the source. Plain data: it can be stored, shown and hashed. */
export type Change<M extends ModelName = ModelName> = Create<M> | Update<M> | Delete<M>

/** A row of main as diff sees it. */
export interface MainRow<M extends ModelName> extends Seen {
  readonly id: number
  readonly facts: Facts<M>
  /**
   * By field, the source's value when a reviewer decided against it: while the source still has it,
   * the field does not change.
   */
  readonly overrides?: Readonly<Record<string, FieldValue>>
}

/** A row as its source reports it, without the columns that all rows of its list have in common. */
export type SourceRow<M extends ModelName> = Omit<Facts<M>, SharedKey<M>> & {
  /**
   * Fields that the source cannot read now, such as those of an unreadable manifest. Main keeps its
   * values of them; a row that main lacks gets the placeholders here.
   */
  readonly unknown?: ReadonlyArray<string> | undefined
}

/** Rows of one list of a source. A source names servers; diff takes their id. */
export interface SourceRows<M extends ModelName> {
  /** The key columns that all rows have in common; rows may repeat them. */
  readonly within: Pick<Facts<M>, SharedKey<M> & keyof Facts<M>>
  readonly rows: Iterable<SourceRow<M>>
}

/** The two sides that diff compares: of the same set of keys. */
export interface DiffInput<M extends ModelName> {
  readonly model: M
  readonly main: Iterable<MainRow<M>>
  readonly source: Iterable<SourceRows<M>>
  /** The source side lists its set completely, so that a row it lacks is gone. Without it no row is deleted. */
  readonly complete: boolean
  /**
   * The run that listed it: a missing row is deleted only if the list of another run lacked it
   * before. Left out: it is deleted at once.
   */
  readonly runId?: number
}

/** Rows that change only in whether their source lists them, by id. */
export interface Sightings {
  /** Listed rows that the list lacks: they are absent from now on. */
  readonly noted: ReadonlyArray<number>
  /** Absent rows that the list has: they are listed again. */
  readonly returned: ReadonlyArray<number>
}

/** The changes, ordered by key so that the order of the input does not matter, and how many rows were equal. */
export interface DiffResult<M extends ModelName> extends Sightings {
  readonly changes: ReadonlyArray<Change<M>>
  readonly unchanged: number
}

/**
 * Decides what counts as a change; no other code does. Only immutable and source fields are compared.
 *
 * - An override's base is the rejected value, so only a new value of the source is a change.
 * - A key that the source lists twice counts once, the last one.
 * - Rows made by a user stay until the source reports their key.
 * - An absent row that is listed again is not a change.
 */
export function diff<M extends ModelName>({ model, main, source, complete, runId }: DiffInput<M>): DiffResult<M> {
  const sourceRows = new KeyedRows<M, SourceRow<M>>(model)
  for (const { within, rows } of source) for (const row of rows) sourceRows.set(row, within)

  const compared = comparedFields(model)
  const changes: Array<Change<M>> = []
  const noted: Array<number> = []
  const returned: Array<number> = []
  let unchanged = 0
  for (const row of main) {
    const facts = sourceRows.take(row.facts)
    if (facts === undefined) {
      const absence = complete ? absenceOf(row, runId ?? null) : 'kept'
      if (absence === 'deleted') changes.push(deletionOf(row, naturalKey(model, row.facts)))
      if (absence === 'noted') noted.push(row.id)
      continue
    }
    if (row.presence === 'absent') returned.push(row.id)
    const fields = changedFields(compared, row, facts)
    const appears = row.presence === 'manual' || row.presence === 'missing'
    if (fields === none && !appears) unchanged++
    else {
      const broken = brokenFields(model, row.facts, fields)
      changes.push({ _tag: 'update', id: row.id, key: naturalKey(model, row.facts), fields, appears, broken })
    }
  }
  for (const { key, row } of sourceRows.left()) changes.push({ _tag: 'create', key, values: factsOf(row) })
  changes.sort((a, b) => compareKeys(a.key, b.key))
  return { changes, unchanged, noted: noted.sort(ascending), returned: returned.sort(ascending) }
}

const ascending = (a: number, b: number): number => a - b

type Row = Readonly<Record<string, FieldValue>>

function factsOf<M extends ModelName>(row: SourceRow<M>): Create<M>['values'] {
  if (row.unknown === undefined) return row
  const { unknown: _, ...facts } = row
  return facts as unknown as Create<M>['values'] // border: what is left of a generic intersection is not known to the compiler
}

/** Worked out once a model: a sync calls diff for each batch of groups. */
const comparedByModel = new Map<ModelName, ReadonlyArray<string>>()

function comparedFields(model: ModelName): ReadonlyArray<string> {
  const known = comparedByModel.get(model)
  if (known !== undefined) return known
  const compared = fieldsOfClass(model, 'immutable', 'source')
  comparedByModel.set(model, compared)
  return compared
}

function deletionOf<M extends ModelName>({ id, presence }: MainRow<M>, key: NaturalKey<M>): Delete<M> {
  return { _tag: 'delete', id, key, ...(presence === 'missing' ? { missing: true } : {}) }
}

const none: ReadonlyArray<FieldChange> = []

function changedFields(
  compared: ReadonlyArray<string>,
  { facts: before, overrides }: { readonly facts: Row; readonly overrides?: Row },
  after: Row & { readonly unknown?: ReadonlyArray<string> | undefined },
): ReadonlyArray<FieldChange> {
  let fields: Array<FieldChange> | null = null
  for (let i = 0; i < compared.length; i++) {
    const field = compared[i] ?? ''
    const base = before[field] ?? null
    const value = after[field] ?? null
    if (base === value || sameValue(base, value)) continue
    if (after.unknown?.includes(field) === true) continue
    const overridden = overrides?.[field]
    if (overridden !== undefined && sameValue(overridden, value)) continue
    fields ??= []
    fields.push({ field, base: overridden ?? base, value })
  }
  return fields ?? none
}

/**
 * Immutable fields hold from the moment an object is finished; before that they grow. One of which
 * nothing was known, as of a backup whose manifest could not be read, is learnt.
 */
function brokenFields(model: ModelName, before: Row, changed: ReadonlyArray<FieldChange>): ReadonlyArray<string> {
  if (before['finished'] === false) return []
  const fields: Fields = registry[model].fields
  const names = new Set(changed.filter(({ base }) => !isNothing(base)).map(({ field }) => field))
  return fieldsOfClass(model, 'immutable').filter((name) => {
    const witness = fields[name]?.witness
    return names.has(name) && (witness === undefined || names.has(witness))
  })
}

const isNothing = (value: FieldValue): boolean => value === null || (Array.isArray(value) && value.length === 0)

type AnyRow = Readonly<Record<string, unknown>>

/** Rows that share all key columns but the last, by that last one. */
interface RowsByEnd<A> {
  readonly beginning: ReadonlyArray<unknown>
  readonly rows: Map<unknown, A>
}

/**
 * Rows of one model by their natural key, without a text for each key: the rows of a list share all
 * but the end of their keys, so a row is found by that end among those that share its beginning. A
 * key set twice keeps the last row.
 */
export class KeyedRows<M extends ModelName, A extends AnyRow> {
  readonly #lists = new Map<string, RowsByEnd<A>>()
  readonly #end: string
  readonly #beginning: ReadonlyArray<string>
  /** The list that was used last. */
  #list: RowsByEnd<A> | null = null

  constructor(model: M) {
    const fields: ReadonlyArray<string> = registry[model].key
    this.#end = fields.at(-1) ?? ''
    this.#beginning = fields.slice(0, -1)
  }

  /** Adds a row. `within` overrides the row's own key columns. */
  set(row: A, within: AnyRow): void {
    this.#listOf(row, within).rows.set(within[this.#end] ?? row[this.#end], row)
  }

  /** Takes out the row that has the same key as this one. */
  take(like: AnyRow): A | undefined {
    const { rows } = this.#listOf(like, like)
    const end = like[this.#end]
    const row = rows.get(end)
    if (row !== undefined) rows.delete(end)
    return row
  }

  /** The rows that were not taken out, with their keys. */
  *left(): Generator<{ readonly key: NaturalKey<M>; readonly row: A }> {
    for (const { beginning, rows } of this.#lists.values()) {
      // border: the registry declares the types of its columns
      for (const [end, row] of rows) yield { key: [...beginning, end] as unknown as NaturalKey<M>, row }
    }
  }

  #listOf(row: AnyRow, within: AnyRow): RowsByEnd<A> {
    if (this.#list !== null && this.#begins(this.#list.beginning, row, within)) return this.#list
    const beginning = this.#beginning.map((field) => within[field] ?? row[field])
    const text = beginning.map(keyPart).join(',')
    const list = this.#lists.get(text) ?? { beginning, rows: new Map<unknown, A>() }
    this.#lists.set(text, list)
    this.#list = list
    return list
  }

  #begins(beginning: ReadonlyArray<unknown>, row: AnyRow, within: AnyRow): boolean {
    for (let i = 0; i < beginning.length; i++) {
      const field = this.#beginning[i] ?? ''
      if ((within[field] ?? row[field]) !== beginning[i]) return false
    }
    return true
  }
}

/**
 * The presence of a row of main at its source.
 *
 * - `listed`: the last landed complete list of its scope had it.
 * - `manual`: made by a user, no source has reported it; it cannot vanish by sync.
 * - `absent`: the complete list of one run lacked it; it stays until that of another run lacks it
 *   too. It has `missing_since`, and needs no decision.
 * - `missing`: its source no longer lists it, but its deletion is held back; it has
 *   `missing_since`.
 */
export type Presence = 'listed' | 'manual' | 'absent' | 'missing'

/** The part of a row that shows whether its source lacked it before. */
export interface Seen {
  readonly presence: Presence
  /** Of an absent row, the run whose complete list lacked it first; null or left out: that is not known. */
  readonly absentRun?: number | null
}

/**
 * The fate of a row that a complete list lacks.
 *
 * - `deleted`: it is deleted, as far as the guard lets it.
 * - `noted`: it stays, and is absent from now on.
 * - `kept`: it stays as it is.
 */
export type Absence = 'deleted' | 'noted' | 'kept'

/**
 * Decides what happens to a row that a run's complete list lacks. PBS silently leaves out rows that it
 * cannot read at the moment, so a row is deleted only when the list of another run lacks it too.
 * `runId` null: the absence is a fact, because the row's parent is gone, or because its list never leaves rows out.
 *
 * | presence | a fact | one list of a run |
 * | --- | --- | --- |
 * | manual | kept | kept |
 * | listed | deleted | noted |
 * | absent since this run | deleted | kept |
 * | absent since another run | deleted | deleted |
 * | absent, since when is not known | deleted | noted |
 * | missing | deleted | deleted |
 */
export function absenceOf({ presence, absentRun = null }: Seen, runId: number | null): Absence {
  if (presence === 'manual') return 'kept'
  if (runId === null || presence === 'missing') return 'deleted'
  if (presence === 'listed' || absentRun === null) return 'noted'
  return absentRun === runId ? 'kept' : 'deleted'
}
