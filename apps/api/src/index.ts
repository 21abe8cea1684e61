export { checkToken, newTokenText, TokenMalformed, tokenKnown, writeToken } from './accounts/write-token.ts'
export { type ApiOptions, apiServer } from './api-server.ts'
export { signInLink } from './pages/session.ts'
export type { ApiNeeds } from './services.ts'
