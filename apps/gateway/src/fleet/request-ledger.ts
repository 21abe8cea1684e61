import { addCosts, noCost, type RequestCost } from '@netbox-pbs/core'
import type { RequestMeter } from '@netbox-pbs/pbs-client'

/** What a server was asked for one run; `run` undefined: outside of runs. */
export interface LedgerEntry {
  readonly run: string | undefined
  readonly cost: RequestCost
}

/**
 * What each server was asked since it was last told. A stream that broke off tells nothing, so that the next one of its
 * server tells for both.
 */
export class RequestLedger {
  readonly #entries = new Map<number, Map<string | undefined, RequestCost>>()

  /** Counts the requests to the server of an endpoint for a run. */
  meter(endpoint: number, run: string | undefined): RequestMeter {
    return {
      sent: (inFlight) => this.#add(endpoint, run, { ...noCost, requests: 1, most_in_flight: inFlight }),
      waited: (millis, bytes) => this.#add(endpoint, run, { ...noCost, millis, bytes }),
    }
  }

  /** Takes the entries of an endpoint out of the ledger. */
  take(endpoint: number): ReadonlyArray<LedgerEntry> {
    const entries = [...(this.#entries.get(endpoint) ?? [])]
    this.#entries.delete(endpoint)
    return entries.map(([run, cost]) => ({ run, cost: { ...cost, millis: Math.round(cost.millis) } }))
  }

  #add(endpoint: number, run: string | undefined, cost: RequestCost): void {
    const ofEndpoint = this.#entries.get(endpoint) ?? new Map<string | undefined, RequestCost>()
    this.#entries.set(endpoint, ofEndpoint.set(run, addCosts(ofEndpoint.get(run) ?? noCost, cost)))
  }
}
