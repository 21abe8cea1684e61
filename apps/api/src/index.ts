export { type ApiOptions, apiServer } from './api-server.ts'
export { ApiStartFailed } from './api-start-failed.ts'
export type { ApiServices } from './services.ts'
