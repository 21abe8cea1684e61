import { type RequestMatch, type RequestSubject, requestMatches } from './request-match.ts'

/** A change of the server that waits for a request. */
export interface RequestChange {
  /** Which requests; everything left out matches. */
  readonly match?: RequestMatch
  /** Requests to skip before the change is made; by default 0. */
  readonly after?: number
  /** Number of times that the change is made; by default 1. */
  readonly times?: number
  /** Made when the request has arrived and before it is looked at: between it and the request before. */
  readonly change: () => void
}

/** The changes that wait for requests: they change a list while it is read. */
export class RequestChanges {
  #waiting: { readonly planned: RequestChange; after: number; left: number }[] = []

  add(planned: RequestChange): void {
    this.#waiting.push({ planned, after: planned.after ?? 0, left: planned.times ?? 1 })
  }

  /** Forgets the changes that have not been made. */
  clear(): void {
    this.#waiting = []
  }

  /** How many changes have not been made, or not as often as asked. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** Makes every change that waited for this request, in the order they were added. */
  arrived(subject: RequestSubject): void {
    for (const entry of this.#waiting.filter(({ planned }) => requestMatches(planned.match ?? {}, subject))) {
      if (entry.after > 0) {
        entry.after -= 1
        continue
      }
      entry.left -= 1
      if (entry.left <= 0) this.#waiting = this.#waiting.filter((other) => other !== entry)
      entry.planned.change()
    }
  }
}
