import { Fault, type FaultInput } from './fault.ts'
import { type RequestSubject, requestMatches } from './request-match.ts'

/** The faults a simulator has now. The first that matches a request is used. */
export class FaultList {
  #entries: { readonly fault: Fault; left: number }[] = []

  /** Adds a fault behind the others. Throws a ZodError when it is malformed. */
  add(input: FaultInput): void {
    const fault = Fault.parse(input)
    this.#entries.push({ fault, left: fault.times ?? Number.POSITIVE_INFINITY })
  }

  /** Removes all faults; requests already hanging stay so. */
  clear(): void {
    this.#entries = []
  }

  /** The faults that are still in force. */
  get active(): readonly Fault[] {
    return this.#entries.map(({ fault }) => fault)
  }

  /** Takes the fault for a new connection, if any. */
  takeForConnection(): boolean {
    return this.#take(({ kind }) => kind === 'refuse') !== undefined
  }

  /** Takes the fault for a request, if any. */
  takeForRequest(subject: RequestSubject): Fault | undefined {
    return this.#take((fault) => fault.kind !== 'refuse' && requestMatches(fault.match, subject))
  }

  #take(accept: (fault: Fault) => boolean): Fault | undefined {
    const entry = this.#entries.find(({ fault }) => accept(fault))
    if (entry === undefined) return undefined
    entry.left -= 1
    if (entry.left <= 0) this.#entries = this.#entries.filter((other) => other !== entry)
    return entry.fault
  }
}
