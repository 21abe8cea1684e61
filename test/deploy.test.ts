import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { ConfigProvider, Effect } from 'effect'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readConfig as readApi } from '../apps/api/src/config.ts'
import { readConfig as readGateway } from '../apps/gateway/src/config.ts'
import { readCommandLine } from '../apps/standalone/src/command-line/read-command-line.ts'
import { environment } from '../apps/standalone/src/config.ts'
import { netboxPbs, SystemProcess } from '../apps/standalone/test/support/process.ts'
import { request } from '../apps/standalone/test/support/rest.ts'
import { readConfig as readWorker } from '../apps/worker/src/config.ts'
import { postgresUrl } from '../packages/testing/src/index.ts'
import { programs } from '../packages/testing/src/programs.ts'
import {
  compose,
  composePrograms,
  containerfile,
  installedPackages,
  type StartedProgram,
  startedPrograms,
  units,
  withSecretsAt,
} from './deploy-files.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const page = readFileSync(`${root}docs/installing.md`, 'utf8')

/** The secrets that the files name, in a folder. */
let place: string
const key = (fill: number): string => Buffer.alloc(32, fill).toString('base64')
beforeAll(async () => {
  place = mkdtempSync(join(tmpdir(), 'netbox-pbs-secrets-'))
  const secrets = {
    'database-url': await postgresUrl(),
    'secret.key': key(1),
    'gateway-secret.key': key(2),
    'gateway-api.key': key(3),
  }
  for (const [name, text] of Object.entries(secrets)) writeFileSync(join(place, name), `${text}\n`)
})
const running: Array<SystemProcess> = []
afterAll(() => {
  for (const process of running) process.kill()
  rmSync(place, { recursive: true, force: true })
})

/** The functions that read the flags and the environment of each program. */
const readers: Readonly<Record<string, (args: ReadonlyArray<string>) => Effect.Effect<unknown, unknown>>> = {
  'netbox-pbs': (args) => Effect.zip(readCommandLine(args), environment),
  gateway: readGateway,
  worker: readWorker,
  api: readApi,
}

/** Variables that are not ours: of Node, of the shell, of the XDG base directories. */
const foreign = ['NODE_ENV', 'PATH', 'XDG_STATE_HOME']

describe.each(startedPrograms.map((started) => [started.from, started] as const))('%s', (_, started) => {
  test('starts a program with the flags that bin/programs.json gives Node', () => {
    expect(started.nodeFlags).toEqual(programs[started.program as keyof typeof programs].nodeFlags)
  })

  test('gives flags that the program has, and variables that it reads', async () => {
    const given = withSecretsAt(started, place)
    const read: Array<string> = []
    const provider = ConfigProvider.fromMap(
      new Map(Object.entries(given).filter(([name]) => !foreign.includes(name))),
    ).pipe(
      ConfigProvider.mapInputPath((name) => {
        read.push(name)
        return name
      }),
    )
    const reader = readers[started.program]
    if (reader === undefined) throw new Error(`no program is called ${started.program}`)
    const result = await Effect.runPromise(Effect.either(Effect.withConfigProvider(reader(started.args), provider)))
    expect(result).toMatchObject({ _tag: 'Right' })
    const ours = Object.keys(given).filter((name) => !foreign.includes(name))
    expect(ours.filter((name) => !read.includes(name))).toEqual([])
  })

  test('has the secrets that its variables name, and no others', () => {
    const { env, secrets, secretsAt } = started
    const named = Object.entries(env).flatMap(([name, value]) =>
      name.endsWith('_FILE') ? [value.replace(`${secretsAt}/`, '')] : [],
    )
    expect(named.toSorted()).toEqual(secrets.toSorted())
  })
})

describe('the Containerfile', () => {
  test('runs as another user than root, on the Node of this repository', () => {
    expect(containerfile.users).toEqual(['node'])
    expect(containerfile.args[0]).toBe(`NODE_VERSION=${readFileSync(`${root}.node-version`, 'utf8').trim()}`)
  })

  test('installs the version it is told, with the command that docs/installing.md has', () => {
    expect(containerfile.args.slice(1)).toEqual([
      'NETBOX_PBS_VERSION',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the Containerfile
      'NETBOX_PBS_PACKAGES=netbox-pbs@${NETBOX_PBS_VERSION}',
    ])
    expect(page).toContain(`\n${containerfile.install.replace(installedPackages, 'netbox-pbs@VERSION')}\n`)
  })

  test('keeps the data folder that every command finds by itself', async () => {
    const [volume] = containerfile.volumes
    const { stdout } = await netboxPbs(['server', 'list', '--help'], { env: containerfile.env })
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(`(default: "${volume}")`)
  })
})

describe('compose.yaml', () => {
  test('names secrets and services that it has', () => {
    for (const { secrets, depends_on = {} } of Object.values(compose.services)) {
      expect(Object.keys(compose.secrets)).toEqual(expect.arrayContaining(secrets))
      expect(Object.keys(compose.services)).toEqual(expect.arrayContaining(Object.keys(depends_on)))
    }
    // docs/installing.md makes each of them.
    expect(Object.values(compose.secrets).filter(({ file }) => !page.includes(file.replace('./', '')))).toEqual([])
  })

  test('gives its programs nothing to write to and no privileges', () => {
    const ours = composePrograms.map(({ from }) => compose.services[from.replace('compose.yaml ', '')])
    expect(ours).toHaveLength(3)
    for (const service of ours)
      expect(service).toMatchObject({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
        image: expect.stringMatching(/^netbox-pbs:\$\{NETBOX_PBS_VERSION:\?/),
      })
  })
})

test.each(Object.entries(units))('%s is hardened, and starts again when it fails', (_, { Service }) => {
  expect(Service).toMatchObject({
    Restart: 'on-failure',
    NoNewPrivileges: 'yes',
    ProtectSystem: 'strict',
    ...('User' in Service ? { User: 'netbox-pbs', StateDirectory: 'netbox-pbs' } : { DynamicUser: 'yes' }),
  })
})

test('the programs of compose.yaml start with its commands, pass its health checks and end on SIGTERM', async () => {
  const service = (name: string): StartedProgram => {
    const found = composePrograms.find(({ from }) => from === `compose.yaml ${name}`)
    if (found === undefined) throw new Error(`compose.yaml has no ${name}`)
    return found
  }
  let gatewayUrl = ''
  const envOf = (name: string) => {
    const env = withSecretsAt(service(name), place)
    return gatewayUrl === '' ? env : { ...env, NETBOX_PBS_GATEWAY_URL: gatewayUrl }
  }
  const start = (name: string, ...more: ReadonlyArray<string>) => {
    const { program, args } = service(name)
    const started = SystemProcess.start(program as 'gateway', [...args, ...more], { env: envOf(name) })
    running.push(started)
    return started
  }
  /** The exit code of a health check, which asks the port that the service has in its container. */
  const check = async (test: ReadonlyArray<string>, url: string) => {
    const [program = '', ...words] = test.filter((word) => word !== 'CMD')
    const at = words.map((word) => word.replace(/127\.0\.0\.1:\d+/, new URL(url).host))
    return promisify(execFile)(program === 'node' ? process.execPath : program, at).then(
      () => 0,
      (error: { code?: unknown }) => error.code,
    )
  }
  const checkOf = (name: string): ReadonlyArray<string> => {
    const { healthcheck } = compose.services[name] ?? {}
    return healthcheck !== undefined && 'test' in healthcheck ? healthcheck.test : []
  }
  const here = (line: RegExpExecArray) => (line[1] ?? '').replace('0.0.0.0', '127.0.0.1')

  const gateway = start('gateway', '--port', '0')
  gatewayUrl = here(await gateway.line(/listens on (\S+)$/))
  const worker = start('worker')
  const api = start('api', '--port', '0')
  const apiUrl = here(await api.line(/listens on (\S+)$/))
  await worker.line(/^The worker takes/)
  expect(await check(checkOf('gateway'), gatewayUrl)).toBe(0)
  expect(await check(checkOf('api'), apiUrl)).toBe(0)
  expect(await check(containerfile.healthcheck, apiUrl)).toBe(0)

  // As in the container of the api.
  const made = await netboxPbs(['token', 'create'], { env: envOf('api') })
  expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^nbt_\S+\n$/) })
  const rest = { url: apiUrl, token: made.stdout.trim() }
  expect(await request(rest, 'GET', '/api/plugins/pbs/servers/')).toMatchObject({ status: 200, json: { count: 0 } })

  for (const process of [api, worker, gateway]) expect(await process.stop()).toMatchObject({ code: 0 })
  expect(await check(checkOf('gateway'), gatewayUrl)).toBe(1)
  expect(await check(checkOf('api'), apiUrl)).toBe(1)
})
