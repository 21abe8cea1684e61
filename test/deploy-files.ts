import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { DockerfileParser, type JSONInstruction } from 'dockerfile-ast'
import { parse as parseIni } from 'ini'
import { parse as parseYaml } from 'yaml'
import { z } from 'zod'

const folder = fileURLToPath(new URL('../deploy', import.meta.url))
const read = (name: string): string => readFileSync(`${folder}/${name}`, 'utf8')

/** A program as a file of `deploy` starts it. */
export interface StartedProgram {
  /** The file, and where it has several programs, which of them. */
  readonly from: string
  /** As in `bin/programs.json`. */
  readonly program: string
  readonly nodeFlags: ReadonlyArray<string>
  readonly args: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string>>
  /** Where the files of its secrets lie when it runs, and their names. */
  readonly secretsAt: string
  readonly secrets: ReadonlyArray<string>
}

/** Where the package lies once it is installed. */
export const installedAt = '/opt/netbox-pbs'

/** How the Containerfile names what it installs: a release, or tarballs. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the Containerfile
export const installedPackages = '${NETBOX_PBS_PACKAGES}'

function programOf(command: ReadonlyArray<string>): Pick<StartedProgram, 'program' | 'nodeFlags' | 'args'> {
  const at = command.findIndex((word) => word.startsWith(`${installedAt}/`))
  const [, program] = /\/node_modules\/netbox-pbs\/dist\/([\w-]+)\.js$/.exec(command[at] ?? '') ?? []
  if (program === undefined || !/^(?:\/usr\/bin\/)?node$/.test(command[0] ?? ''))
    throw new Error(`this does not start a program of the package: ${command.join(' ')}`)
  return { program, nodeFlags: command.slice(1, at), args: command.slice(at + 1) }
}

const instructions = DockerfileParser.parse(read('Containerfile')).getInstructions()

const ofContainerfile = (keyword: string): ReadonlyArray<string> =>
  instructions
    .filter((one) => one.getKeyword() === keyword)
    .map((one) => one.getArgumentsContent()?.replaceAll(/\\\n\s*/g, '') ?? '')

const lastList = (keyword: string): ReadonlyArray<string> => {
  const found = instructions.filter((one) => one.getKeyword() === keyword).at(-1) as JSONInstruction | undefined // border: CMD and ENTRYPOINT are such
  return (found?.getJSONStrings() ?? []).map((one) => JSON.parse(one.getValue()))
}

/** The arguments of the Containerfile, by instruction. */
export const containerfile = {
  args: ofContainerfile('ARG'),
  users: ofContainerfile('USER'),
  volumes: ofContainerfile('VOLUME'),
  exposed: ofContainerfile('EXPOSE'),
  /** The command that installs the package, without how the build mounts the tarballs. */
  install: (ofContainerfile('RUN')[0] ?? '').replace(/^--mount=\S+ /, ''),
  healthcheck: z
    .array(z.string())
    .parse(JSON.parse(/CMD (\[.*\])$/.exec(ofContainerfile('HEALTHCHECK')[0] ?? '')?.[1] ?? '')),
  env: Object.fromEntries(
    ofContainerfile('ENV').flatMap((text) =>
      [...text.matchAll(/(\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]),
    ),
  ),
}

const Service = z.object({
  image: z.string(),
  entrypoint: z.array(z.string()).optional(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()),
  secrets: z.array(z.string()),
  read_only: z.boolean().optional(),
  cap_drop: z.array(z.string()).optional(),
  security_opt: z.array(z.string()).optional(),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).optional(),
  healthcheck: z.union([z.object({ disable: z.literal(true) }), z.object({ test: z.array(z.string()) })]),
})
const Compose = z.object({
  services: z.record(z.string(), Service),
  secrets: z.record(z.string(), z.object({ file: z.string() })),
  volumes: z.record(z.string(), z.unknown()),
})

/** Compose variables at their defaults; `${NAME:?…}` stays. */
const interpolated = (text: string): string => text.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1')

/** `compose.yaml`, its anchors resolved and its variables at their defaults. */
export const compose = Compose.parse(parseYaml(interpolated(read('compose.yaml')), { merge: true }))

/** The services of compose that run a program of ours. */
export const composePrograms: ReadonlyArray<StartedProgram> = Object.entries(compose.services)
  .filter(([, { entrypoint }]) => entrypoint !== undefined)
  .map(([name, { entrypoint = [], command = [], environment, secrets }]) => ({
    from: `compose.yaml ${name}`,
    ...programOf([...entrypoint, ...command]),
    env: { ...containerfile.env, ...environment },
    secretsAt: '/run/secrets',
    secrets,
  }))

const Words = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat())
const Unit = z.object({
  Service: z.looseObject({ ExecStart: z.string(), Environment: Words, LoadCredential: Words.default([]) }),
})

/** The systemd units, by file name. */
export const units = Object.fromEntries(
  readdirSync(`${folder}/systemd`).map((file) => [
    file,
    Unit.parse(parseIni(read(`systemd/${file}`), { bracketedArray: false })),
  ]),
)

const unitPrograms: ReadonlyArray<StartedProgram> = Object.entries(units).map(([file, { Service: service }]) => ({
  from: file,
  ...programOf(service.ExecStart.split(' ')),
  env: Object.fromEntries(service.Environment.map((pair) => pair.split(/=(.*)/s, 2))),
  secretsAt: '%d',
  secrets: service.LoadCredential.map((credential) => credential.split(':', 1)[0] ?? ''),
}))

/** Every program that a file of `deploy` starts. */
export const startedPrograms: ReadonlyArray<StartedProgram> = [
  {
    from: 'Containerfile',
    ...programOf([...lastList('ENTRYPOINT'), ...lastList('CMD')]),
    env: containerfile.env,
    secretsAt: '/run/secrets',
    secrets: [],
  },
  ...composePrograms,
  ...unitPrograms,
]

/** The environment of a program with its secrets in another folder. */
export const withSecretsAt = ({ env, secretsAt }: StartedProgram, place: string): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value.replace(secretsAt, () => place)]))
