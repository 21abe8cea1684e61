import { type ParseArgsConfig, parseArgs } from 'node:util'
import { Effect } from 'effect'
import { WrongUsage } from './wrong-usage.ts'

type Options = NonNullable<ParseArgsConfig['options']>
type Flags<O extends Options> = ReturnType<
  typeof parseArgs<{ args: Array<string>; options: O; strict: true; allowPositionals: false }>
>['values']

/** Reads the flags of a command without positions. `usage` ends every complaint. */
export const readFlags = <const O extends Options>(
  args: ReadonlyArray<string>,
  options: O,
  usage: string,
): Effect.Effect<Flags<O>, WrongUsage> =>
  Effect.try({
    try: () => parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values,
    // Node's own text names the flag; its first sentence is enough.
    catch: (error) =>
      new WrongUsage({
        message: `${(error instanceof Error ? error.message : String(error)).split(/\.(\s|$)/, 1)[0]}. Usage: ${usage}`,
      }),
  })

/** The flag of every service, for `readFlags`; `readLogFormat` judges it. */
export const logFormatFlag = { 'log-format': { type: 'string', default: 'text' } } as const

/** The `--host` and `--port` of a server. Port 0 takes a free one. */
export const readListenFlags = ({
  host,
  port,
}: {
  readonly host: string
  readonly port: string
}): Effect.Effect<{ readonly host: string; readonly port: number }, WrongUsage> => {
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65535) {
    return new WrongUsage({ message: `--port ${port} is not a port; give a number from 0 to 65535.` })
  }
  if (host.trim() === '') {
    return new WrongUsage({
      message: '--host is empty; give an address of this machine, 127.0.0.1 for this machine only.',
    })
  }
  return Effect.succeed({ host, port: Number(port) })
}
