/** A byte count that may be unknown: whole, not negative, within 2^53-1. */
export const bytes = { type: 'integer', min: 0, max: Number.MAX_SAFE_INTEGER, nullable: true, unit: 'bytes' } as const

/** A count kept by the system itself. */
export const count = {
  class: 'derived',
  type: 'integer',
  min: 0,
  max: Number.MAX_SAFE_INTEGER,
  default: 0,
  readOnly: true,
} as const
