import type { Fault, FaultInput } from './faults/fault.ts'
import { FaultList } from './faults/fault-list.ts'
import { type RequestChange, RequestChanges } from './faults/request-changes.ts'
import { type SimulatedTokens, tokensOf } from './fleet/accounts.ts'
import { generateState } from './fleet/generate-state.ts'
import { createRequestListener } from './http/request-listener.ts'
import { type RecordedRequest, RequestLog } from './http/request-log.ts'
import { type Evolution, type EvolveOptions, evolve } from './state/evolve.ts'
import * as operations from './state/operations.ts'
import type { AclEntry, PbsState, SnapshotState } from './state/pbs-state.ts'
import type { Profile } from './state/profile.ts'
import { createCertificate } from './tls/certificate.ts'
import { openListener } from './tls/listener.ts'

/** How to start one server. */
export interface SimulatorOptions {
  readonly name?: string
  /** 0, the default, takes a free port. */
  readonly port?: number
  readonly host?: string
  readonly profile?: Profile
  readonly seed?: number
  /** Snapshots that a full audit can list. Default 500. */
  readonly snapshots?: number
  /** Epoch seconds of its newest facts. If given, the server's clock stays there unless `clock` says otherwise. */
  readonly now?: number
  /** Whether the server's clock is that of the machine, or stays at its newest facts. */
  readonly clock?: 'runs' | 'stays'
  /** How long a 401 takes, in milliseconds; default 3000. A 403 takes a sixth of it. */
  readonly failureDelayMs?: number
  /** Whether generated stores include an offline and an unmounted one. Default false. */
  readonly unreadableStores?: boolean
  readonly timezone?: string
  /** A state to answer from instead of a generated one. */
  readonly fleet?: PbsState
}

/** A running simulated Proxmox Backup Server. */
export interface Simulator {
  readonly name: string
  /** `https://host:port` */
  readonly url: string
  readonly host: string
  readonly port: number
  /** Of the certificate in use: lower-case colon hex of the SHA-256 of the leaf. */
  readonly fingerprint: string
  readonly tokens: SimulatedTokens
  /** The state that the server answers from; read and change it freely. */
  readonly state: PbsState
  readonly faults: {
    readonly add: (fault: FaultInput) => void
    readonly clear: () => void
    readonly active: () => readonly Fault[]
  }
  /** Changes made when a request arrives, so that a list changes while it is read. */
  readonly changes: {
    readonly add: (change: RequestChange) => void
    readonly clear: () => void
    /** How many have not been made yet. */
    readonly waiting: () => number
  }
  /** The newest requests, oldest first. Header values are not kept. */
  readonly requests: readonly RecordedRequest[]
  /** Requests, TCP connections and finished TLS handshakes since the start or `discardRequests`. */
  readonly counts: { readonly requests: number; readonly connections: number; readonly tlsConnections: number }
  readonly discardRequests: () => void
  readonly evolve: (options?: EvolveOptions) => Evolution
  readonly addNamespace: (store: string, ns: string) => void
  readonly removeNamespace: (store: string, ns: string) => void
  readonly removeStore: (store: string) => void
  readonly addSnapshot: (at: operations.GroupAddress, snapshot: SnapshotState, owner?: string) => void
  readonly removeGroup: (at: operations.GroupAddress) => void
  /** Moves a group, or its snapshots of some times, to another namespace or datastore. */
  readonly moveGroup: (
    at: operations.GroupAddress,
    to: Pick<operations.GroupAddress, 'store' | 'ns'>,
    times?: ReadonlyArray<number>,
  ) => void
  /** Keeps the newest snapshots of a group and says how many went. */
  readonly pruneGroup: (at: operations.GroupAddress, keep: number) => number
  /** Sets a maintenance mode, or ends it with null. */
  readonly setMaintenance: (store: string, mode: string | null, message?: string | null) => void
  /** Plugs a removable datastore in, or out. */
  readonly setMounted: (store: string, mounted: boolean) => void
  /** Adds an entry to the access control list. */
  readonly grant: (entry: AclEntry) => void
  /** Removes the entries of a user or token on a path; throws when there is none. */
  readonly revoke: (path: string, authId: string) => void
  /** Takes another certificate into use and drops all connections; `fingerprint` changes. */
  readonly rotateCertificate: () => Promise<void>
  /** Stops listening: clients get ECONNREFUSED until `resume`. */
  readonly pause: () => Promise<void>
  readonly resume: () => Promise<void>
  readonly close: () => Promise<void>
}

const stateFor = (options: SimulatorOptions, now: number): PbsState =>
  options.fleet ??
  generateState({
    name: options.name ?? 'pbs-a',
    seed: options.seed ?? 1,
    profile: options.profile ?? '4.2',
    snapshots: options.snapshots ?? 500,
    now,
    ...(options.timezone === undefined ? {} : { timezone: options.timezone }),
    ...(options.unreadableStores === undefined ? {} : { unreadableStores: options.unreadableStores }),
  })

const wallClock = (): number => Math.floor(Date.now() / 1000)

/** Starts a server; it answers when the promise resolves. */
export const startSimulator = async (options: SimulatorOptions = {}): Promise<Simulator> => {
  const host = options.host ?? '127.0.0.1'
  const unauthorizedDelayMs = options.failureDelayMs ?? 3000
  const state = stateFor(options, options.now ?? options.fleet?.now ?? wallClock())
  const given = options.now !== undefined || options.fleet !== undefined
  const running = (options.clock ?? (given ? 'stays' : 'runs')) === 'runs'
  // Evolving may lead a running clock into the future; facts are never from after "now".
  const clock = () => (running ? Math.max(wallClock(), state.now) : state.now)
  const faults = new FaultList()
  const changes = new RequestChanges()
  const log = new RequestLog()
  let certificateNumber = 0
  const nextCertificate = () => createCertificate(state.name, `${state.seed} ${state.name} ${certificateNumber++}`)
  let certificate = await nextCertificate()
  let [calls, connections, tlsConnections] = [0, 0, 0]

  const listener = await openListener({
    host,
    port: options.port ?? 0,
    certificate,
    onConnection: () => {
      connections += 1
      return !faults.takeForConnection()
    },
    onSecureConnection: () => {
      tlsConnections += 1
    },
    onRequest: createRequestListener(faults, changes, log, () => ({
      state,
      clock: clock(),
      fingerprint: certificate.fingerprint,
      unauthorizedDelayMs,
      forbiddenDelayMs: unauthorizedDelayMs / 6,
      callNumber: calls++,
    })),
  })

  return {
    name: state.name,
    url: `https://${host.includes(':') ? `[${host}]` : host}:${listener.port}`,
    host,
    port: listener.port,
    get fingerprint() {
      return certificate.fingerprint
    },
    tokens: tokensOf(state),
    state,
    faults: { add: (fault) => faults.add(fault), clear: () => faults.clear(), active: () => faults.active },
    changes: { add: (change) => changes.add(change), clear: () => changes.clear(), waiting: () => changes.waiting },
    get requests() {
      return log.entries
    },
    get counts() {
      return { requests: log.total, connections, tlsConnections }
    },
    discardRequests: () => {
      log.clear()
      connections = 0
      tlsConnections = 0
    },
    evolve: (step) => evolve(state, step),
    addNamespace: (store, ns) => void operations.addNamespace(state, store, ns),
    removeNamespace: (store, ns) => operations.removeNamespace(state, store, ns),
    removeStore: (store) => operations.removeStore(state, store),
    addSnapshot: (at, snapshot, owner) => void operations.addSnapshot(state, at, snapshot, owner),
    removeGroup: (at) => operations.removeGroup(state, at),
    moveGroup: (at, to, times) => operations.moveGroup(state, at, to, times),
    pruneGroup: (at, keep) => operations.pruneGroup(operations.findGroup(state, at), keep),
    setMaintenance: (store, mode, message) => operations.setMaintenance(state, store, mode, message),
    setMounted: (store, mounted) => operations.setMounted(state, store, mounted),
    grant: (entry) => operations.grant(state, entry),
    revoke: (path, authId) => operations.revoke(state, path, authId),
    rotateCertificate: async () => {
      certificate = await nextCertificate()
      listener.useCertificate(certificate)
    },
    pause: () => listener.stop(),
    resume: () => listener.start(),
    close: () => listener.stop(),
  }
}
