import { EndpointStore, type StoredEndpoint, type StoreFailed } from '@netbox-pbs/core/ports'
import { endpointPageLimit } from '@netbox-pbs/proxbox-client/contract'
import { Effect } from 'effect'

/** The endpoints that are enabled, by name. */
export const enabledEndpoints: Effect.Effect<ReadonlyArray<StoredEndpoint>, StoreFailed, EndpointStore> = Effect.gen(
  function* () {
    const store = yield* EndpointStore
    const endpoints: Array<StoredEndpoint> = []
    for (let offset = 0; ; offset += endpointPageLimit) {
      const page = yield* store.list({ limit: endpointPageLimit, offset })
      endpoints.push(...page.filter(({ enabled }) => enabled))
      if (page.length < endpointPageLimit) return endpoints.sort((a, b) => (a.name < b.name ? -1 : 1))
    }
  },
)
