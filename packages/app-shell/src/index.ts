export { allowedHostFlag, isAllowedHost, readAllowedHosts, unknownHostDetail } from './allowed-host.ts'
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
export { logFormatFlag, readFlags, readListenFlags } from './flags.ts'
export { type LogFormat, logFormats, logLayer, readLogFormat } from './log.ts'
export { printable, printableLines } from './printable.ts'
export { runProcess } from './run-process.ts'
export { type HttpService, serveHttp, urlHost } from './serve-http.ts'
export { runService, type Service, type Started } from './service.ts'
export { WrongUsage } from './wrong-usage.ts'
