import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import * as z from 'zod'
import { Fault } from '../faults/fault.ts'
import { finishedSnapshot } from '../fleet/special-groups.ts'
import type { Simulator } from '../simulator.ts'
import { AddFault, EvolveRequest, Operation, ServerQuery } from './control-requests.ts'
import { describeServer, summarizeState } from './describe-server.ts'

/** The control API of a running simulator process. */
export interface ControlServer {
  readonly url: string
  readonly close: () => Promise<void>
}

const MAX_BODY = 65_536

class BadRequest extends Error {}

const readJson = async (request: IncomingMessage): Promise<unknown> => {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size > MAX_BODY) throw new BadRequest('the body is too long')
    chunks.push(bytes)
  }
  const text = Buffer.concat(chunks).toString('utf8')
  try {
    return text === '' ? {} : JSON.parse(text)
  } catch {
    throw new BadRequest('the body is not JSON')
  }
}

const chosen = (servers: readonly Simulator[], name: string | undefined): readonly Simulator[] => {
  const found = name === undefined ? servers : servers.filter((server) => server.name === name)
  if (found.length === 0) throw new BadRequest(`there is no server '${name ?? ''}'`)
  return found
}

type Handler = (servers: readonly Simulator[], input: unknown) => unknown

const handlers: Readonly<Record<string, Handler>> = {
  'GET /control/servers': (servers) => servers.map(describeServer),
  'GET /control/state': (servers, input) => chosen(servers, ServerQuery.parse(input).server).map(summarizeState),
  'GET /control/requests': (servers, input) =>
    chosen(servers, ServerQuery.parse(input).server).map(({ name, counts, requests }) => ({
      name,
      counts,
      requests: requests.slice(-1000),
    })),
  'POST /control/faults': (servers, input) => {
    const { server, ...rest } = AddFault.parse(input)
    // Parsed once for its shape, then given as it came: each server applies the defaults itself.
    const fault = Fault.parse(rest)
    const targets = chosen(servers, server)
    for (const target of targets) target.faults.add(fault)
    return { servers: targets.map(({ name }) => name) }
  },
  'DELETE /control/faults': (servers, input) => {
    const targets = chosen(servers, ServerQuery.parse(input).server)
    for (const target of targets) {
      target.faults.clear()
      target.changes.clear()
    }
    return { servers: targets.map(({ name }) => name) }
  },
  'POST /control/evolve': (servers, input) => {
    const { server, ...given } = EvolveRequest.parse(input)
    // Absent and undefined are one to `evolve`, but not to its type.
    const step = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
    return chosen(servers, server).map((target) => ({ name: target.name, ...target.evolve(step) }))
  },
  'POST /control/operations': async (servers, input) => {
    const operation = Operation.parse(input)
    for (const target of chosen(servers, operation.server)) await scheduleOperation(target, operation)
    return { done: operation.operation }
  },
}

const answer = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}

const respond = async (
  servers: readonly Simulator[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> => {
  const url = new URL(request.url ?? '/', 'http://control')
  const key = `${request.method ?? 'GET'} ${url.pathname}`
  const handler = Object.hasOwn(handlers, key) ? handlers[key] : undefined
  if (handler === undefined) return answer(response, 404, { error: `no such control: ${key}` })
  try {
    const input = request.method === 'POST' ? await readJson(request) : Object.fromEntries(url.searchParams)
    answer(response, 200, await handler(servers, input))
  } catch (error) {
    if (error instanceof z.ZodError) return answer(response, 400, { error: z.prettifyError(error) })
    if (error instanceof BadRequest || error instanceof RangeError)
      return answer(response, 400, { error: error.message })
    answer(response, 500, { error: String(error) })
  }
}

/**
 * Starts the control API: plain HTTP on loopback, without credentials, for steering servers of another process.
 *
 * A request with a foreign `Host` is refused, so that a web page cannot reach it through a name of its own.
 */
export const startControlServer = (servers: readonly Simulator[], port: number): Promise<ControlServer> =>
  new Promise((resolve, reject) => {
    const http = createServer((request, response) => {
      const host = (request.headers.host ?? '').replace(/:\d+$/, '')
      if (host !== '127.0.0.1' && host !== 'localhost') return answer(response, 400, { error: 'unknown host' })
      void respond(servers, request, response)
    })
    http.once('error', reject)
    http.listen(port, '127.0.0.1', () => {
      const address = http.address()
      const actual = typeof address === 'object' && address !== null ? address.port : port
      resolve({
        url: `http://127.0.0.1:${actual}`,
        close: () =>
          new Promise((done) => {
            http.close(() => done())
            http.closeAllConnections()
          }),
      })
    })
  })

/** Makes an explicit change; throws a RangeError when its object does not exist. */
const applyOperation = async (server: Simulator, operation: Operation): Promise<void> => {
  switch (operation.operation) {
    case 'addNamespace':
      return server.addNamespace(operation.store, operation.ns)
    case 'removeNamespace':
      return server.removeNamespace(operation.store, operation.ns)
    case 'removeStore':
      return server.removeStore(operation.store)
    case 'removeGroup':
      return server.removeGroup(operation)
    case 'moveGroup':
      return server.moveGroup(operation, operation.to, operation.times)
    case 'pruneGroup':
      return void server.pruneGroup(operation, operation.keep)
    case 'addSnapshot':
      return server.addSnapshot(operation, finishedSnapshot(operation.backupTime))
    case 'setMounted':
      return server.setMounted(operation.store, operation.mounted)
    case 'grant': {
      const { path, authId, role, propagate } = operation
      return server.grant({ path, authId, role, propagate })
    }
    case 'revoke':
      return server.revoke(operation.path, operation.authId)
    case 'setMaintenance':
      return server.setMaintenance(operation.store, operation.mode, operation.message)
    case 'rotateCertificate':
      return server.rotateCertificate()
    case 'pause':
      return server.pause()
    case 'resume':
      return server.resume()
  }
}

/** Makes a change now, or when the request arrives that it waits for; its objects are looked up then. */
const scheduleOperation = async (server: Simulator, operation: Operation): Promise<void> => {
  const { on } = operation
  if (on === undefined) return applyOperation(server, operation)
  const { after = 0, times = 1, ...match } = on
  // Its object may be gone by then, and no change is left to make.
  const change = () => void applyOperation(server, operation).catch(() => undefined)
  server.changes.add({ match, after, times, change })
}
