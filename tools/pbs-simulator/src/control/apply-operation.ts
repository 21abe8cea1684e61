import { finishedSnapshot } from '../fleet/special-groups.ts'
import type { Simulator } from '../simulator.ts'
import type { Operation } from './control-requests.ts'

/** Carries out an explicit change; throws a RangeError when what it names is not there. */
export const applyOperation = async (server: Simulator, operation: Operation): Promise<void> => {
  switch (operation.operation) {
    case 'addNamespace':
      return server.addNamespace(operation.store, operation.ns)
    case 'removeNamespace':
      return server.removeNamespace(operation.store, operation.ns)
    case 'removeStore':
      return server.removeStore(operation.store)
    case 'removeGroup':
      return server.removeGroup(operation)
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

/** Carries out a change now, or when the request arrives that it waits for; what it names is then looked for. */
export const scheduleOperation = async (server: Simulator, operation: Operation): Promise<void> => {
  const { on } = operation
  if (on === undefined) return applyOperation(server, operation)
  const { after = 0, times = 1, ...match } = on
  // What it names may be gone by then: there is nothing to change any more.
  const change = () => void applyOperation(server, operation).catch(() => undefined)
  server.changes.add({ match, after, times, change })
}
