import type { EndpointStore, GatewayKeys, SecretBox } from '@netbox-pbs/core/ports'
import { Layer } from 'effect'
import { endpointStoreLayer } from './endpoint-store.ts'
import type { GatewayDatabase } from './gateway-database.ts'
import { gatewayKeysLayer } from './gateway-keys.ts'

/** What the gateway keeps: its endpoints and the keys of its own API. */
export const gatewayStoreLayer: Layer.Layer<EndpointStore | GatewayKeys, never, GatewayDatabase | SecretBox> =
  Layer.merge(endpointStoreLayer, gatewayKeysLayer)
