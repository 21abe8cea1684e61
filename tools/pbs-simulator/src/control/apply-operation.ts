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
