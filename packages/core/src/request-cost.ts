/** What requests cost a server. */
export interface RequestCost {
  /** Requests that were sent or tried, repeated ones included. */
  readonly requests: number
  /** Bytes of the answers, as far as they were read. */
  readonly bytes: number
  /** Milliseconds of waiting for the server. Those of requests at the same time add up. */
  readonly millis: number
  /** The most requests that were open at once. */
  readonly most_in_flight: number
}

/** No request. */
export const noCost: RequestCost = { requests: 0, bytes: 0, millis: 0, most_in_flight: 0 }

/** The cost of two sets of requests together. */
export const addCosts = (a: RequestCost, b: RequestCost): RequestCost => ({
  requests: a.requests + b.requests,
  bytes: a.bytes + b.bytes,
  millis: a.millis + b.millis,
  most_in_flight: Math.max(a.most_in_flight, b.most_in_flight),
})
