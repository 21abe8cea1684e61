export { type GatewayOptions, gatewayServer } from './gateway-server.ts'
export type { FailureLimits } from './http/failed-attempts.ts'
