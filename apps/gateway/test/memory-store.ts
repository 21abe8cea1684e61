import { fieldsThatNeedSecret } from '@netbox-pbs/core'
import {
  EndpointNameTaken,
  EndpointStore,
  GatewayKeys,
  SecretNeeded,
  type StoredEndpoint,
} from '@netbox-pbs/core/ports'
import { Effect, Layer, Option, type Redacted } from 'effect'

type Row = StoredEndpoint & { readonly token_secret: Redacted.Redacted<string> }

const shown = ({ token_secret: _, ...endpoint }: Row): StoredEndpoint => endpoint

/** The gateway's ports in memory. */
export const memoryStore: Layer.Layer<EndpointStore | GatewayKeys> = Layer.mergeAll(
  Layer.sync(EndpointStore, () => {
    const rows = new Map<number, Row>()
    let lastId = 0
    const taken = (name: string, except?: number) =>
      [...rows.values()].some((row) => row.name === name && row.id !== except)
    return {
      create: ({ token_secret, ...endpoint }) =>
        Effect.suspend(() => {
          if (taken(endpoint.name)) return new EndpointNameTaken({ name: endpoint.name })
          lastId += 1
          const row: Row = { id: lastId, ...endpoint, token_secret }
          rows.set(row.id, row)
          return Effect.succeed(shown(row))
        }),
      list: ({ limit, offset }) =>
        Effect.sync(() =>
          [...rows.values()]
            .sort((a, b) => a.id - b.id)
            .slice(offset, offset + limit)
            .map(shown),
        ),
      get: ({ id }) => Effect.sync(() => Option.map(Option.fromNullable(rows.get(id)), shown)),
      update: ({ id, change }) =>
        Effect.gen(function* () {
          const row = rows.get(id)
          if (row === undefined) return Option.none()
          if (change.name !== undefined && taken(change.name, id))
            return yield* new EndpointNameTaken({ name: change.name })
          const changed: Row = { ...row, ...change }
          const fields = change.token_secret === undefined ? fieldsThatNeedSecret(row, changed) : []
          if (fields.length > 0) return yield* new SecretNeeded({ fields })
          rows.set(id, changed)
          return Option.some(shown(changed))
        }),
      remove: ({ id }) => Effect.sync(() => rows.delete(id)),
      secret: ({ id }) => Effect.sync(() => Option.map(Option.fromNullable(rows.get(id)), (row) => row.token_secret)),
    }
  }),
  Layer.sync(GatewayKeys, () => {
    const hashes = new Set<string>()
    return {
      any: () => Effect.sync(() => hashes.size > 0),
      add: ({ hash }) => Effect.sync(() => void hashes.add(hash)),
      addFirst: ({ hash }) =>
        Effect.sync(() => {
          if (hashes.size > 0) return false
          hashes.add(hash)
          return true
        }),
      known: ({ hash }) => Effect.sync(() => hashes.has(hash)),
    }
  }),
)
