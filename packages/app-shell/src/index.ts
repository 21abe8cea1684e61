export { CannotListen } from './cannot-listen.ts'
export {
  checkDatabaseUrl,
  databaseExample,
  needSecret,
  readGatewayAt,
  readSecret,
  readVariable,
  secretKeyHint,
} from './environment.ts'
export { readFlags, readListenFlags } from './flags.ts'
export { runProcess } from './run-process.ts'
export { type HttpService, serveHttp, urlHost } from './serve-http.ts'
export { WrongUsage } from './wrong-usage.ts'
