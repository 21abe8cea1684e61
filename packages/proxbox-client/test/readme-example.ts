import { Source } from '@netbox-pbs/core/ports'
import { proxboxSourceLayer } from '@netbox-pbs/proxbox-client'
import { Effect, Redacted, Stream } from 'effect'

/** How many snapshots the gateway knows. */
export const countSnapshots = (url: string, key: string) =>
  Effect.flatMap(Source, (source) =>
    Stream.runFold(source.frames({ resource: 'snapshots' }), 0, (count, frame) =>
      frame._tag === 'complete' && frame.scope.resource === 'snapshots' ? count + frame.count : count,
    ),
  ).pipe(Effect.provide(proxboxSourceLayer({ address: Effect.succeed({ url, key: Redacted.make(key) }) })))
