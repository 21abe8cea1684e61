export { endpointsLayer } from './endpoints/endpoints-layer.ts'
export type { AddressEffect, GatewayAddress, GatewayOptions, Timeouts } from './http/gateway-http.ts'
export { proxboxSourceLayer } from './proxbox-source.ts'
