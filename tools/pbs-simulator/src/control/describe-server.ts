import type { Simulator } from '../simulator.ts'
import { countSnapshots } from '../state/count-snapshots.ts'
import { countOf } from '../state/series.ts'

/**
 * The connection to a server, as the command prints it and `GET /control/servers` answers it. The
 * secret is a fake one.
 */
export const describeServer = (server: Simulator) => ({
  name: server.name,
  host: server.host,
  port: server.port,
  url: server.url,
  version: `${server.state.version}.${server.state.release}`,
  tokenId: server.tokens.audit.tokenId,
  tokenSecret: server.tokens.audit.secret,
  fingerprint: server.fingerprint,
})

/** A server's state without the single snapshots: sums per namespace instead. */
export const summarizeState = (server: Simulator) => {
  const { accounts: _secrets, datastores, tasks, ...rest } = server.state
  return {
    ...rest,
    snapshots: countSnapshots(server.state),
    counts: server.counts,
    tasks: tasks.length,
    faults: server.faults.active().length,
    datastores: datastores.map(({ namespaces, ...store }) => ({
      ...store,
      namespaces: namespaces.map(({ path, groups }) => ({
        path,
        groups: groups.length,
        snapshots: groups.reduce((sum, group) => sum + countOf(group), 0),
      })),
    })),
  }
}
