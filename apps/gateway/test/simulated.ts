import type { SimulatedToken, Simulator } from '@netbox-pbs/pbs-simulator'
import type { Frame } from '@netbox-pbs/proxbox-client/contract'
import type { RunningGateway } from './running-gateway.ts'

/** Makes an endpoint of a simulated server, pinned, and returns its id. */
export const addEndpoint = async (
  gateway: RunningGateway,
  pbs: Simulator,
  { token = pbs.tokens.audit, ...change }: { readonly token?: SimulatedToken } & Readonly<Record<string, unknown>> = {},
): Promise<number> => {
  const response = await gateway.request('/pbs/endpoints', {
    method: 'POST',
    json: {
      name: pbs.name,
      host: pbs.host,
      port: pbs.port,
      token_id: token.tokenId,
      token_secret: token.secret,
      fingerprint: pbs.fingerprint,
      timeout_seconds: 5,
      ...change,
    },
  })
  const { id } = (await response.json()) as { id: number }
  return id
}

/** Asks for a sync as frames and gives the response, its body unread. */
export const openSync = (gateway: RunningGateway, resource: string, body: unknown = {}, init: RequestInit = {}) =>
  gateway.request(`/pbs/sync/${resource}`, {
    ...init,
    method: 'POST',
    json: body,
    headers: { accept: 'application/x-ndjson' },
  })

/** All frames of a sync. */
export const syncFrames = async (
  gateway: RunningGateway,
  resource: string,
  body: unknown = {},
): Promise<ReadonlyArray<Frame>> => {
  const response = await openSync(gateway, resource, body)
  const text = await response.text()
  return text
    .trimEnd()
    .split('\n')
    .map((line): Frame => JSON.parse(line))
}

/** The frames of one kind. */
export const ofKind = <N extends Frame['frame']>(
  frames: ReadonlyArray<Frame>,
  name: N,
): ReadonlyArray<Extract<Frame, { readonly frame: N }>> =>
  frames.filter((frame): frame is Extract<Frame, { readonly frame: N }> => frame.frame === name)

/** The scopes that ended in one way, as `snapshots tank/site-a` or `jobs verify`, with the code of a failure. */
export const ended = (frames: ReadonlyArray<Frame>, how: 'complete' | 'failed'): ReadonlyArray<string> =>
  frames.flatMap((frame) => {
    if (frame.frame !== how) return []
    const flat: Readonly<Record<string, unknown>> = frame
    const place = [flat.datastore, flat.namespace, flat.job_type].filter((part) => part !== undefined && part !== '')
    const code = frame.frame === 'failed' ? ` ${frame.error.code}` : ''
    return [`${frame.resource} ${place.join('/')}`.trimEnd() + code]
  })
