/** What a caller accepts to get frames: one JSON object a line. */
export const ndjsonMediaType = 'application/x-ndjson'

/** The header that carries the gateway's key. proxbox-api reads no other. */
export const apiKeyHeader = 'X-Proxbox-API-Key'

/** The largest frame, in bytes of its line without the newline. A scope with a larger one is `failed` with `protocol`. */
export const maxFrameBytes = 64 * 1024 * 1024

/** The most endpoints one page of `GET /pbs/endpoints` holds. */
export const endpointPageLimit = 100
