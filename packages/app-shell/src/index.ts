export {
  allowedHostFlag,
  basePathFlag,
  filled,
  flagsOrExit,
  logFormatFlag,
  newCommand,
  port,
  readFlags,
  statementTimeoutFlag,
  trustedProxyFlag,
  wholeNumber,
} from './command-line.ts'
export {
  checkDatabaseUrl,
  databaseExample,
  needSecret,
  netBoxUrlName,
  openIdIssuerName,
  readGatewayAddress,
  readSecret,
  readVariable,
  secretKeyHint,
  WrongUsage,
} from './environment.ts'
export { isAllowedHost, isLoopback, unknownHostDetail, urlHost } from './host-names.ts'
export { type LogFormat, logFields, logLayer, logLine, printable, printableLines } from './log.ts'
export { makeRun } from './make-run.ts'
export { type Program, runProcess, runService, type Service, type Started, startProgram } from './program.ts'
export { BodyUnreadable, readBytes } from './read-bytes.ts'
export { CannotListen, type HttpService, serveHttp } from './serve-http.ts'
