export { type GatewayOptions, gatewayServer } from './gateway-server.ts'
export { GatewayStartFailed } from './gateway-start-failed.ts'
export type { FailureLimits } from './http/failed-attempts.ts'
