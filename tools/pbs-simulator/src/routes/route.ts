import { createHash } from 'node:crypto'
import type { ParameterSchemas, Parameters } from '../http/parameters.ts'
import { hasAny } from '../permissions/privileges.ts'
import type { Json, PbsState } from '../state/pbs-state.ts'

/** The context of a handler. */
export interface RouteContext {
  readonly state: PbsState
  /** The caller's user or token id; empty on routes open to everybody. */
  readonly authId: string
  readonly parameters: Parameters
  /** The server's clock, epoch seconds. */
  readonly clock: number
  /** Fingerprint of the certificate in use. */
  readonly fingerprint: string
  /** The order in which rows of a list come at this call: a permutation of `0..length-1`. */
  readonly shuffled: (length: number) => Uint32Array
}

/** A handler's result: one value, or rows streamed one by one; `digest` and the like are siblings of `data`. */
export type RouteResult =
  | { readonly data: Json; readonly siblings?: Readonly<Record<string, Json>> }
  | { readonly rows: Iterable<Json>; readonly siblings?: Readonly<Record<string, Json>> }

/** One method on one path of the API. */
export interface Route {
  readonly method: 'GET'
  /** Below `/api2/json`, with `{name}` for captures. */
  readonly path: string
  readonly parameters: (state: PbsState) => ParameterSchemas
  /** The router-level check; `world` needs no credentials at all. */
  readonly permission: 'world' | 'authenticated' | 'superuser' | ((context: RouteContext) => boolean)
  /** The oldest release that has this route. */
  readonly since?: string
  readonly handle: (context: RouteContext) => RouteResult
}

/** A refusal with a status, thrown by handlers and answered as plain text. */
export class ApiError extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.name = 'ApiError'
    this.status = status
  }
}

/** The text of an optional string parameter, or `otherwise`. */
export const textOf = (context: RouteContext, name: string, otherwise = ''): string => {
  const value = context.parameters.get(name)
  return typeof value === 'string' ? value : otherwise
}

/** Whether the caller has any of these privileges on an ACL path. */
export const may = (context: RouteContext, path: string, ...privileges: readonly string[]): boolean =>
  hasAny(context.state, context.authId, path, privileges)

/** The rows of an array in this call's order. */
export const inCallOrder = <Row>(context: RouteContext, rows: readonly Row[]): Row[] => {
  const ordered: Row[] = []
  for (const index of context.shuffled(rows.length)) {
    const row = rows[index]
    if (row !== undefined) ordered.push(row)
  }
  return ordered
}

/** `{ [name]: value }`, or nothing when the value is null: most optional fields are absent rather than null. */
export const optional = (name: string, value: Json): Readonly<Record<string, Json>> =>
  value === null ? {} : { [name]: value }

/** The `digest` sibling of a configuration list: the hash of the file behind it. */
export const configDigest = (configuration: unknown): string =>
  createHash('sha256').update(JSON.stringify(configuration)).digest('hex')
