export {
  allowedHostFlag,
  filled,
  logFormatFlag,
  newCommand,
  port,
  readFlags,
  statementTimeoutFlag,
  wholeNumber,
} from './command-line.ts'
export {
  checkDatabaseUrl,
  databaseExample,
  needSecret,
  readGatewayAt,
  readSecret,
  readVariable,
  secretKeyHint,
} from './environment.ts'
export { isAllowedHost, isLoopback, unknownHostDetail, urlHost } from './host-names.ts'
export { type LogFormat, logLayer } from './log.ts'
export { makeRun } from './make-run.ts'
export { printable, printableLines } from './printable.ts'
export { type Program, runProcess, runService, type Service, type Started, startProgram } from './program.ts'
export { BodyUnreadable, readBytes } from './read-bytes.ts'
export { CannotListen, type HttpService, serveHttp } from './serve-http.ts'
export { WrongUsage } from './wrong-usage.ts'
