import { formatTimestamp } from '../../timestamp.ts'

/** A time in a sentence: ` at 2026-05-01T02:00:00Z`; nothing where it is not known. */
export const at = (seconds: number | null): string => (seconds === null ? '' : ` at ${formatTimestamp(seconds * 1000)}`)

/** A number with its noun. */
export const counted = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`
