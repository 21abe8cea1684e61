/** Failed logins of one kind in a row, such as those of one address. */
export interface FailedLogins {
  readonly failures: number
  /** When the last one failed, in milliseconds. */
  readonly last: number
}

/** How failed logins of one kind are slowed. */
export interface LoginLimit {
  /** Failures in a row that cost nothing. */
  readonly free: number
  /** The longest wait, in milliseconds. */
  readonly longestWait: number
}

/** How long a failure counts, in milliseconds. */
const countedFor = 3_600_000

/**
 * The limits of failed logins. Those of one user from one address, and of one address, grow to
 * long waits; those of one user from everywhere stay short, so that a stranger cannot keep the user out.
 */
export const loginLimits = {
  userAtAddress: { free: 5, longestWait: 900_000 },
  address: { free: 20, longestWait: 900_000 },
  user: { free: 20, longestWait: 30_000 },
} as const satisfies Readonly<Record<string, LoginLimit>>

/** Milliseconds until a login may be tried: one second after the first failure that is not free, then twice as long each time. */
export function loginWait(record: FailedLogins | undefined, { free, longestWait }: LoginLimit, now: number): number {
  if (record === undefined || record.failures < free || now - record.last >= countedFor) return 0
  const wait = Math.min(1000 * 2 ** Math.min(record.failures - free, 30), longestWait)
  // A clock that was set back must not keep anyone out.
  return now < record.last ? 0 : Math.max(0, record.last + wait - now)
}

/** The record after one more failure. */
export const afterFailure = (record: FailedLogins | undefined, now: number): FailedLogins => ({
  failures: record === undefined || now - record.last >= countedFor ? 1 : record.failures + 1,
  last: now,
})
