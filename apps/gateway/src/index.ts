export { type GatewayAppOptions, type GatewayOptions, gatewayHandler, gatewayServer } from './gateway-server.ts'
export type { FailureLimits } from './http/failed-attempts.ts'
