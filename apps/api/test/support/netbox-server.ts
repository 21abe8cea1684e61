import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createCertificate } from '@netbox-pbs/pbs-simulator'

/** A user of NetBox, by the name of a group or more. */
export interface NetBoxUser {
  readonly id: number
  username: string
  first_name?: string
  email?: string
  is_active?: boolean
  groups: ReadonlyArray<string>
}

/** A token of NetBox: `nbt_<key>.<secret>`, or 40 characters of version 1. */
export interface NetBoxToken {
  readonly text: string
  readonly user: NetBoxUser
  readonly write_enabled?: boolean
  readonly enabled?: boolean
  readonly expires?: string | null
  /** Addresses from which it may be used; all of them unless told. */
  readonly allowed?: ReadonlyArray<string>
}

/** What NetBox was asked. */
export interface Question {
  readonly method: string
  readonly path: string
  readonly authorization: string
  readonly realIp: string | undefined
}

/** A server that answers about tokens as NetBox 4.7 does. */
export interface NetBoxServer {
  /** Its address below a base path. */
  readonly url: string
  /** Its certificate in PEM, which no authority has signed. */
  readonly certificate: string
  readonly tokens: Array<NetBoxToken>
  readonly asked: Array<Question>
  /** Answers in place of NetBox; null: NetBox answers. */
  instead: ((response: ServerResponse) => void) | null
  readonly close: () => Promise<void>
}

/** Starts one on loopback. */
export async function startNetBox({ tls = true } = {}): Promise<NetBoxServer> {
  const { cert, key } = await createCertificate('netbox', 'netbox')
  const state = { tokens: [] as Array<NetBoxToken>, asked: [] as Array<Question> }
  const listener: RequestListener = (request, response) => {
    state.asked.push({
      method: request.method ?? '',
      path: request.url ?? '',
      authorization: request.headers.authorization ?? '',
      realIp: request.headers['x-real-ip']?.toString(),
    })
    if (netBox.instead !== null) netBox.instead(response)
    else answer(state.tokens, request, response)
  }
  const server = tls ? createServer({ cert, key }, listener) : createHttpServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const netBox: NetBoxServer = {
    ...state,
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}/netbox/`,
    certificate: cert,
    instead: null,
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
  return netBox
}

function answer(tokens: ReadonlyArray<NetBoxToken>, request: IncomingMessage, response: ServerResponse): void {
  const send = (status: number, body: object) =>
    response.writeHead(status, { 'Content-Type': 'application/json', 'API-Version': '4.7' }).end(JSON.stringify(body))
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://netbox')
  const [keyword, text = ''] = (request.headers.authorization ?? '').split(' ')
  const token = tokens.find((one) => one.text === text)
  const refused = refusal(token, text, request.headers['x-real-ip']?.toString() ?? '')
  if (!/^(?:Token|Bearer)$/.test(keyword ?? ''))
    return void send(403, { detail: 'Authentication credentials were not provided.' })
  if (token === undefined || refused !== null) return void send(403, { detail: refused })
  const { id, username, first_name = '', email = '', groups } = token.user
  if (pathname === '/netbox/api/authentication-check/')
    return void send(200, {
      ...{
        id,
        url: `https://netbox/api/users/users/${id}/`,
        display: username,
        username,
        first_name,
        last_name: '',
        email,
      },
      ...{ is_active: true, date_joined: '2026-01-01T00:00:00Z', last_login: null, permissions: [] },
      groups: groups.map((name, at) => ({
        id: at + 1,
        url: 'https://netbox/api/users/groups/1/',
        display: name,
        name,
      })),
    })
  if (pathname !== '/netbox/api/users/tokens/') return void send(404, { detail: 'Not found.' })
  if (request.method === 'OPTIONS')
    return void send(200, {
      name: 'Token List',
      ...(token.write_enabled === false ? {} : { actions: { POST: { id: {} } } }),
    })
  const mine = tokens.filter(
    (one) => one.user === token.user && one.text.startsWith(`nbt_${searchParams.get('key') ?? ''}.`),
  )
  send(200, {
    count: mine.length,
    next: null,
    previous: null,
    results: mine.map((one) => ({
      ...{ id: 1, key: one.text.slice(4, 16), version: 2, enabled: one.enabled ?? true },
      ...{ write_enabled: one.write_enabled ?? true, expires: one.expires ?? null },
    })),
  })
}

/** Why NetBox does not accept a token, in its own words and order; null: it does. */
function refusal(token: NetBoxToken | undefined, text: string, from: string): string | null {
  if (token === undefined) return `Invalid v${text.startsWith('nbt_') ? 2 : 1} token`
  if (token.allowed !== undefined && !token.allowed.includes(from))
    return `Source IP ${from} is not permitted to authenticate using this token.`
  if (token.enabled === false) return 'Token disabled'
  if (token.expires != null && Date.parse(token.expires) <= Date.now()) return 'Token expired'
  return token.user.is_active === false ? 'User inactive' : null
}
