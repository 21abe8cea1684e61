export { Branch } from './branch.ts'
export { SyncRunDetail } from './run.ts'
export { EndpointTest } from './server.ts'
export { NewToken, Token } from './token.ts'
