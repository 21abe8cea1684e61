import { handleRequest, type PbsState, type SimulatedResponse } from '@netbox-pbs/pbs-simulator'
import { connectionError, type DispatchedAnswer, type DispatchedRequest } from './in-process-dispatcher.ts'
import type { World } from './world.ts'

/** What may happen to a request. */
export const requestFaults = ['refuse', 'reset', 'hang', 'cut', 'truncate', 'status', 'html', 'slow'] as const
export type RequestFault = (typeof requestFaults)[number]

/** A request that was answered completely, as the server was at that moment. */
export interface WellAnswered {
  readonly version: number
  /** Below `/api2/json`, percent-decoded, with the namespace of a list. */
  readonly path: string
}

/** How requests to a server fare. */
export interface Weather {
  /** The share of requests that fail, 0 to 1. */
  readonly faults: number
  readonly kinds: ReadonlyArray<RequestFault>
  /** Which paths may fail. */
  readonly path: RegExp
}

export const fine: Weather = { faults: 0, kinds: ['refuse'], path: /^/ }

/** A PBS of the fleet: the state that it answers from, and the weather on the way to it. */
export class SimulatedServer {
  weather: Weather = fine
  /** Requests that were answered completely, oldest first. */
  answered: Array<WellAnswered> = []
  #calls = 0

  constructor(
    private readonly world: World,
    readonly state: PbsState,
    private readonly versionNow: () => number,
    private readonly onFault: (fault: RequestFault) => void,
  ) {}

  readonly answer = async (request: DispatchedRequest): Promise<DispatchedAnswer> => {
    const { world } = this
    const target = new URL(request.path, 'https://pbs')
    const path = decodeURIComponent(target.pathname).replace('/api2/json', '')
    const fault = this.#fault(path)
    world.note(`${this.state.name} ${fault === null ? '' : `(${fault}) `}${request.path}`)
    await world.pause(1 + world.chance.upTo(30))
    switch (fault) {
      case 'refuse':
        throw connectionError('ECONNREFUSED')
      case 'reset':
        throw connectionError('ECONNRESET')
      case 'hang':
        await new Promise<void>((resolve) => request.signal.addEventListener('abort', () => resolve()))
        throw connectionError('UND_ERR_SOCKET')
      case 'status':
        return answerOf(textOf(world.chance.pick([500, 502, 503, 400, 403]), 'simulated failure'), null, world)
      case 'html':
        return answerOf(
          { ...textOf(200, '<!DOCTYPE html><title>proxy</title>'), contentType: 'text/html' },
          null,
          world,
        )
    }
    this.state.now = Math.floor(world.time.now / 1000)
    const response = handleRequest(
      { method: request.method, target: request.path, headers: request.headers },
      {
        state: this.state,
        clock: this.state.now,
        fingerprint: '',
        unauthorizedDelayMs: 0,
        forbiddenDelayMs: 0,
        callNumber: this.#calls++,
      },
    )
    // The whole list is of this moment.
    const whole = { ...response, body: [[...response.body].join('')] }
    const version = this.versionNow()
    const ns = target.searchParams.get('ns')
    const onEnd = () => {
      // A slow answer is complete too.
      if ((fault === null || fault === 'slow') && response.status === 200)
        this.answered.push({ version, path: `${path}${ns === null ? '' : ` ${ns}`}` })
    }
    return answerOf(whole, fault, world, onEnd)
  }

  #fault(path: string): RequestFault | null {
    const { weather, world } = this
    if (weather.faults === 0 || !weather.path.test(path) || !world.chance.chance(weather.faults)) return null
    const fault = world.chance.pick(weather.kinds)
    this.onFault(fault)
    return fault
  }
}

const textOf = (status: number, text: string): SimulatedResponse => ({
  status,
  contentType: 'text/plain',
  streamed: false,
  body: [text],
})

const answerOf = (
  { status, contentType, headers, body }: SimulatedResponse,
  fault: RequestFault | null,
  world: World,
  onEnd: () => void = () => undefined,
): DispatchedAnswer => ({
  status,
  headers: { ...(contentType === null ? {} : { 'content-type': contentType }), ...headers },
  body: sent(Buffer.from([...body].join('')), fault, world, onEnd),
})

async function* sent(
  whole: Buffer,
  fault: RequestFault | null,
  world: World,
  onEnd: () => void,
): AsyncGenerator<Uint8Array> {
  if (fault === 'cut' || fault === 'truncate') {
    const part = whole.subarray(0, world.chance.upTo(whole.length))
    if (part.length > 0) yield part
    if (fault === 'cut') throw connectionError('UND_ERR_SOCKET')
    return
  }
  if (fault === 'slow') {
    const middle = world.chance.upTo(whole.length)
    yield whole.subarray(0, middle)
    await world.pause(1 + world.chance.upTo(9000))
    yield whole.subarray(middle)
  } else {
    yield whole
  }
  onEnd()
}
