import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Fault } from '../faults/fault.ts'
import type { FaultList } from '../faults/fault-list.ts'
import type { RequestChanges } from '../faults/request-changes.ts'
import { atLeast } from '../state/profile.ts'
import { handleRequest, type Surroundings } from './handle-request.ts'
import type { RequestLog } from './request-log.ts'
import { JSON_TYPE, type SimulatedResponse, textResponse } from './response.ts'
import { type Compression, type Disturbance, send } from './send.ts'

const htmlPage = '<!DOCTYPE html><html><head><title>Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>'

function* endlessList(): Generator<string> {
  yield '{"data":['
  for (let index = 1; ; index += 1)
    yield `{"backup-type":"vm","backup-id":"${index}","backup-time":${index}},`.repeat(64)
}

/** A fault's answer in place of the real one; null when the real one is sent. */
const replacementFor = (fault: Fault): SimulatedResponse | null => {
  switch (fault.kind) {
    case 'status':
      return textResponse(fault.status, fault.body, { headers: fault.headers })
    case 'html':
      return textResponse(fault.status, htmlPage, { contentType: 'text/html' })
    case 'redirect':
      return textResponse(fault.status, '', { contentType: null, headers: { location: fault.location } })
    case 'body':
      return textResponse(200, fault.body)
    case 'endless':
      return { status: 200, contentType: JSON_TYPE, streamed: true, body: endlessList() }
    default:
      return null
  }
}

const disturbanceOf = (fault: Fault | undefined): Disturbance => {
  switch (fault?.kind) {
    case 'cut':
    case 'truncate':
      return { stop: { kind: fault.kind, afterBytes: fault.afterBytes } }
    case 'slow':
      return { pace: fault }
    default:
      return {}
  }
}

const compressionFor = (request: IncomingMessage, { state }: Surroundings): Compression => {
  if (!String(request.headers['accept-encoding'] ?? '').includes('deflate')) return 'identity'
  return atLeast(state, '3.2.8') ? 'deflate' : 'deflate-raw'
}

const decoded = (path: string): string => {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

const answer = async (
  request: IncomingMessage,
  response: ServerResponse,
  faults: FaultList,
  changes: RequestChanges,
  around: Surroundings,
  log: RequestLog,
): Promise<void> => {
  const target = request.url ?? '/'
  const method = request.method ?? 'GET'
  const [path = '/', query = ''] = target.split(/\?(.*)/s)
  const parameters = new URLSearchParams(query)
  log.add({
    method,
    path,
    query: Object.fromEntries(parameters),
    authorizationSeen: request.headers.authorization !== undefined,
    headers: Object.keys(request.headers),
  })
  request.resume()
  const subject = { method, path: decoded(path).replace(/^\/api2\/json/, ''), query: parameters }
  changes.arrived(subject)
  const fault = faults.takeForRequest(subject)
  if (fault?.kind === 'hang') return
  if (fault?.kind === 'reset') {
    request.socket.destroy()
    return
  }
  const replacement = fault === undefined ? null : replacementFor(fault)
  const answered = replacement ?? handleRequest({ method, target, headers: request.headers }, around)
  const sent = fault?.kind === 'row' ? withOddRow(answered, fault) : answered
  const compression = sent.status === 414 ? 'identity' : compressionFor(request, around)
  await send(response, sent, compression, disturbanceOf(fault))
}

/** The listener of a simulated server: records, injects faults, and answers. */
export const createRequestListener =
  (faults: FaultList, changes: RequestChanges, log: RequestLog, surroundings: () => Surroundings): RequestListener =>
  (request, response) => {
    answer(request, response, faults, changes, surroundings(), log).catch((error: unknown) => {
      // A bug of the simulator must fail the test that met it, loudly but without ending the process.
      if (!response.headersSent) response.writeHead(500, { 'content-type': 'text/plain' })
      response.end(`simulator failure: ${String(error)}`)
    })
  }

/**
 * The same answer with the first row that has the wanted fields made odd; as it is when no row has
 * them, or it is no list.
 */
const withOddRow = (
  response: SimulatedResponse,
  fault: Extract<Fault, { readonly kind: 'row' }>,
): SimulatedResponse => {
  const text = [...response.body].join('')
  if (response.status !== 200) return { ...response, body: [text] }
  const envelope: { data: unknown } = JSON.parse(text)
  if (!Array.isArray(envelope.data)) return { ...response, body: [text] }
  const index = envelope.data.findIndex((row: unknown) =>
    Object.entries(fault.where).every(([field, value]) => Reflect.get(Object(row), field) === value),
  )
  if (index >= 0) envelope.data[index] = isObject(fault.set) ? { ...envelope.data[index], ...fault.set } : fault.set
  return { ...response, body: [JSON.stringify(envelope)] }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
