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
 * What becomes of a row that a complete list lacks.
 *
 * - `goes`: it is deleted, as far as the guard lets it.
 * - `noted`: it stays, and is absent from now on.
 * - `stays`: it stays as it is.
 */
export type Absence = 'goes' | 'noted' | 'stays'

/**
 * Decides what happens to a row that a run's complete list lacks. PBS silently leaves out rows that it
 * cannot read at the moment, so a row is deleted only when the list of another run lacks it too.
 * `runId` null: the absence is a fact, because the row's parent is gone, or because its list never leaves rows out.
 *
 * | presence | a fact | one list of a run |
 * | --- | --- | --- |
 * | manual | stays | stays |
 * | listed | goes | noted |
 * | absent since this run | goes | stays |
 * | absent since another run | goes | goes |
 * | absent, since when is not known | goes | noted |
 * | missing | goes | goes |
 */
export function absenceOf({ presence, absentRun = null }: Seen, runId: number | null): Absence {
  if (presence === 'manual') return 'stays'
  if (runId === null || presence === 'missing') return 'goes'
  if (presence === 'listed' || absentRun === null) return 'noted'
  return absentRun === runId ? 'stays' : 'goes'
}
