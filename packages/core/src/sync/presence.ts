/**
 * The presence of a row of main at its source.
 *
 * - `listed`: the last landed complete list of its scope had it.
 * - `manual`: made by a user, no source has reported it; it cannot vanish by sync.
 * - `absent`: the complete list of one run lacked it; it stays until that of another run lacks it too. It has `missing_since`, and needs no decision.
 * - `missing`: its source no longer lists it, but its deletion is held back; it has `missing_since`.
 */
export type Presence = 'listed' | 'manual' | 'absent' | 'missing'
