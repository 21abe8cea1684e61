import { parseArgs } from 'node:util'
import { type Profile, profiles } from '../state/profile.ts'

/** The checked flags of the `simulator` command. */
export interface Flags {
  readonly servers: number
  readonly snapshots: number
  readonly seed: number
  readonly host: string
  /** First port; 0 takes free ones. */
  readonly port: number
  /** Null: no control API. 0 takes a free port. */
  readonly controlPort: number | null
  /** Null: the fleet's own mix of releases. */
  readonly profile: Profile | null
  /** Seconds between two steps of time; null: nothing happens by itself. */
  readonly evolveSeconds: number | null
  readonly help: boolean
}

/** Flags, or the sentence that says what is wrong with them. */
export type ParsedFlags =
  | { readonly ok: true; readonly flags: Flags }
  | { readonly ok: false; readonly message: string }

/** What `--help` prints. */
export const usage = `Usage: simulator [flags]

Runs simulated Proxmox Backup Servers until it is interrupted.

  --servers N          how many (3)
  --snapshots N        snapshots of all servers together (2000)
  --seed N             another seed is another fleet (1)
  --host ADDRESS       where to listen (127.0.0.1)
  --port N             port of the first server, the next ones follow; 0 takes free ports (0)
  --control-port N     plain HTTP control API on loopback; 0 takes a free port (none)
  --profile RELEASE    all servers of one release: ${profiles.join(', ')} (a mix)
  --evolve SECONDS     let a simulated day pass every so many seconds (never)
  --help               this text
`

class WrongFlag extends Error {}

const integer = (name: string, text: string, minimum: number, maximum: number): number => {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < minimum || value > maximum)
    throw new WrongFlag(`--${name} must be a whole number from ${minimum} to ${maximum}, not '${text}'.`)
  return value
}

const isProfile = (text: string): text is Profile => profiles.some((profile) => profile === text)

const profileOf = (text: string | undefined): Profile | null => {
  if (text === undefined) return null
  if (!isProfile(text)) throw new WrongFlag(`--profile must be one of ${profiles.join(', ')}, not '${text}'.`)
  return text
}

const text = { type: 'string' } as const
const options = {
  servers: { ...text, default: '3' },
  snapshots: { ...text, default: '2000' },
  seed: { ...text, default: '1' },
  host: { ...text, default: '127.0.0.1' },
  port: { ...text, default: '0' },
  'control-port': text,
  profile: text,
  evolve: text,
  help: { type: 'boolean', default: false },
} as const

/** Checks the command line (without the program's own name). */
export const parseFlags = (args: readonly string[]): ParsedFlags => {
  try {
    const { values } = parseArgs({ args: [...args], options, strict: true })
    const maybe = (name: 'control-port' | 'evolve', minimum: number, maximum: number) => {
      const given = values[name]
      return given === undefined ? null : integer(name, given, minimum, maximum)
    }
    const servers = integer('servers', values.servers, 1, 200)
    const port = integer('port', values.port, 0, 65_535)
    if (port !== 0 && port + servers - 1 > 65_535)
      throw new WrongFlag(`--port ${port} is too high for ${servers} servers: their ports would exceed 65535.`)
    return {
      ok: true,
      flags: {
        servers,
        snapshots: integer('snapshots', values.snapshots, 0, 100_000_000),
        seed: integer('seed', values.seed, 0, 2_147_483_647),
        host: values.host,
        port,
        controlPort: maybe('control-port', 0, 65_535),
        profile: profileOf(values.profile),
        evolveSeconds: maybe('evolve', 1, 86_400),
        help: values.help,
      },
    }
  } catch (error) {
    if (error instanceof WrongFlag) return { ok: false, message: error.message }
    // `parseArgs` throws TypeErrors whose message names the flag.
    if (error instanceof TypeError) return { ok: false, message: error.message.split('. ')[0] ?? error.message }
    throw error
  }
}
