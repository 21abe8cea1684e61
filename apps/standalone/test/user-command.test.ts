import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Cause, Effect, Exit, Option } from 'effect'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { readCommandLine } from '../src/command-line/read-command-line.ts'
import { netboxPbs, terminalCommand } from './support/process.ts'
import { request } from './support/rest.ts'
import { newHome, type RunningSystem, startSystem } from './support/running-system.ts'

vi.setConfig({ testTimeout: 60_000 })

const password = 'correct horse battery'
const another = 'another horse battery'

let system: RunningSystem
let folder: string
/** Everything that this process has printed or logged, the system's own log included. */
const everything: Array<string> = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'netbox-pbs-test-'))
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const)
    vi.spyOn(console, method).mockImplementation((...words) => {
      everything.push(words.map(String).join(' '))
    })
  system = await startSystem(newHome({}))
  for (const name of ['pbs-a', 'pbs-b']) {
    const server = { name, host: '192.0.2.1', token_id: 'a@pbs!b' }
    expect((await request(system, 'POST', '/api/plugins/pbs/servers/', server)).status).toBe(201)
  }
})
afterAll(async () => {
  await system.stop()
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true, force: true })
})

const file = (text: string): string => {
  const path = join(folder, `${Math.random()}`)
  writeFileSync(path, text)
  return path
}

/** How a command ended: its result, or the kind of its error and the sentence. */
interface Ended {
  readonly out: string
  readonly err: string
  readonly failed: string | null
}

/** Runs a command in this process against the system, as an admin unless told. */
async function user(args: ReadonlyArray<string>, token = system.token): Promise<Ended> {
  const printed = { out: '', err: '' }
  const catching = (stream: NodeJS.WriteStream, to: keyof typeof printed) =>
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      printed[to] += text
      return true
    })
  const streams = [catching(process.stdout, 'out'), catching(process.stderr, 'err')]
  const line = ['user', ...args, ...(args.includes('--help') ? [] : ['--url', system.url, '--token', token])]
  const exit = await Effect.runPromiseExit(Effect.flatten(readCommandLine(line)))
  for (const stream of streams) stream.mockRestore()
  const failure = Exit.isFailure(exit) ? Option.getOrNull(Cause.failureOption(exit.cause)) : null
  if (Exit.isFailure(exit) && failure === null && !Cause.isInterruptedOnly(exit.cause)) throw Cause.squash(exit.cause)
  const ended = { ...printed, failed: failure === null ? null : `${failure._tag}: ${failure.message}` }
  everything.push(ended.out, ended.err, ended.failed ?? '')
  return ended
}

const says = (out: string | RegExp): Ended => ({
  out: typeof out === 'string' ? out : expect.stringMatching(out),
  err: '',
  failed: null,
})
const fails = (failed: string | RegExp): Ended => ({
  out: '',
  err: '',
  failed: typeof failed === 'string' ? failed : expect.stringMatching(failed),
})

/** The user as REST shows it. */
const stored = async (name: string) => {
  const { json } = await request(system, 'GET', `/api/users/users/?q=${encodeURIComponent(name)}`)
  const { results } = json as { results: ReadonlyArray<Record<string, unknown> & { id: number }> } // border: a test reads what it asserts
  return results.find(({ username }) => username === name)
}

/** Whether the system takes a password. */
const signsIn = async (username: string, text: string): Promise<boolean> => {
  const { status } = await request(system, 'POST', '/api/users/tokens/provision/', { username, password: text })
  return status === 201
}

describe('user add', () => {
  test('adds a user whose password is read from a file, without the end of its line', async () => {
    const flags = ['--role', 'operator', '--email', 'ada@example.com', '--server', 'pbs-b', 'pbs-a']
    expect(await user(['add', 'ada', ...flags, '--password-file', file(`${password}\n`)])).toEqual(
      says('user ada is added as operator\n'),
    )
    expect(await stored('ada')).toMatchObject({
      ...{ role: { value: 'operator' }, email: 'ada@example.com', servers: [1, 2], is_active: true },
      has_password: true,
    })
    expect([await signsIn('ada', password), await signsIn('ada', another)]).toEqual([true, false])
  })

  test('keeps the blanks of a password, and makes a viewer of all servers without flags', async () => {
    expect(await user(['add', 'lin+1@example', '--password-file', file(`  ${password}  `)])).toEqual(
      says('user lin+1@example is added as viewer\n'),
    )
    expect(await stored('lin+1@example')).toMatchObject({ role: { value: 'viewer' }, servers: null })
    expect([await signsIn('lin+1@example', `  ${password}  `), await signsIn('lin+1@example', password)]).toEqual([
      ...[true, false],
    ])
  })

  test.each([
    ['of a name that is taken, in any case', ['ADA'], password, 'username: A user with this username already exists.'],
    ['with a short password', ['eve'], 'short', /^password: This password is too short\. .* at least 12 characters\.$/],
    ['without a password', ['eve'], '', /^password: This password is too short\./],
    ['with a long password', ['eve'], 'p'.repeat(129), /^password: .*no more than 128 characters\.$/],
    ['of a name with a space', ['eve l'], password, /^username: Enter a valid username\./],
    ['with a wrong address', ['eve', '--email', 'nowhere'], password, 'email: Enter a valid email address.'],
    [
      'with a server that is not there',
      ['eve', '--server', 'pbs-z'],
      password,
      'servers: There is no server with the name pbs-z.',
    ],
    [
      'as an admin of some servers',
      ['eve', '--role', 'admin', '--server', 'pbs-a'],
      password,
      'servers: An admin sees all servers: leave servers out, or give another role.',
    ],
  ])('is refused %s', async (_, args, text, sentence) => {
    const failed = await user(['add', ...args, '--password-file', file(text)])
    const [, said = ''] = /^CannotRun: (.*)$/.exec(failed.failed ?? '') ?? []
    expect(said).toEqual(typeof sentence === 'string' ? sentence : expect.stringMatching(sentence))
    expect([failed.out, failed.err]).toEqual(['', ''])
    expect(await stored('eve')).toBeUndefined()
  })

  test.each([
    [['add', 'eve'], '--password-file is missing: name the file that holds the password, or - for standard input'],
    [
      ['add', 'eve', '--password-file', '/nowhere/at/all'],
      '--password-file: cannot read /nowhere/at/all; make it a file that this user may read',
    ],
    [
      ['add', 'eve', '--role', 'root'],
      `option '--role <role>' argument 'root' is invalid. Allowed choices are viewer, operator, admin; see "netbox-pbs user add --help"`,
    ],
    [['add'], `missing required argument 'name'; see "netbox-pbs user add --help"`],
    [
      ['add', ' '],
      `command-argument value ' ' is invalid for argument 'name'. It must not be empty; see "netbox-pbs user add --help"`,
    ],
    [['add', 'eve', '--password', another], /^unknown option '--password' .*see "netbox-pbs user add --help"$/],
  ])('%j is a mistake of the caller', async (args, sentence) => {
    const failed = await user(args)
    expect(failed.failed).toEqual(
      typeof sentence === 'string' ? `WrongUsage: ${sentence}` : expect.stringMatching(/^WrongUsage: unknown option/),
    )
    expect(await stored('eve')).toBeUndefined()
  })
})

describe('user set', () => {
  test('changes what the flags name, and nothing else', async () => {
    expect(await user(['set', 'ada', '--role', 'viewer'])).toEqual(says('user ada is changed\n'))
    expect(await stored('ada')).toMatchObject({
      ...{ role: { value: 'viewer' }, email: 'ada@example.com', servers: [1, 2], is_active: true },
    })
    expect(await user(['set', 'ada', '--server', 'pbs-a', '--email', 'ada@example.org'])).toMatchObject({
      failed: null,
    })
    expect(await stored('ada')).toMatchObject({ role: { value: 'viewer' }, email: 'ada@example.org', servers: [1] })
    expect(await user(['set', 'ada', '--all-servers'])).toMatchObject({ failed: null })
    expect(await stored('ada')).toMatchObject({ servers: null })
    expect(await signsIn('ada', password)).toBe(true)
  })

  test('replaces the password', async () => {
    expect(await user(['set', 'ada', '--password-file', file(`${another}\r\n`)])).toEqual(
      says('user ada is changed; sessions with the old password have ended\n'),
    )
    expect([await signsIn('ada', password), await signsIn('ada', another)]).toEqual([false, true])
  })

  test('locks a user out, and lets the user in again', async () => {
    expect(await user(['set', 'ada', '--no-active'])).toMatchObject({ failed: null })
    expect([(await stored('ada'))?.['is_active'], await signsIn('ada', another)]).toEqual([false, false])
    expect(await user(['set', 'ada', '--active'])).toMatchObject({ failed: null })
    expect([(await stored('ada'))?.['is_active'], await signsIn('ada', another)]).toEqual([true, true])
  })

  test.each([['--role', 'operator'], ['--no-active']])('leaves one active admin: %s', async (...flags) => {
    const before = await stored('admin')
    expect(await user(['set', 'admin', ...flags])).toEqual(
      fails('CannotRun: role: This would leave no active admin: make another user an admin first.'),
    )
    expect(await stored('admin')).toEqual(before)
  })

  test.each([
    [['ada'], 'WrongUsage: nothing to change: "netbox-pbs user set --help" lists the flags'],
    [
      ['ada', '--server', 'pbs-a', '--all-servers'],
      'WrongUsage: --server and --all-servers exclude each other: give one of them',
    ],
    [
      ['ada', '--password'],
      'WrongUsage: --password-file is missing: name the file that holds the password, or - for standard input',
    ],
    [['absent', '--active'], 'CannotRun: no user is named absent: "netbox-pbs user list" shows them'],
    [['AD', '--active'], 'CannotRun: no user is named AD: "netbox-pbs user list" shows them'],
    [['null', '--active'], 'CannotRun: no user is named null: "netbox-pbs user list" shows them'],
  ])('%j is refused', async (args, sentence) => {
    expect(await user(['set', ...args])).toEqual(fails(sentence))
  })

  test('finds a user whom a filter could not name', async () => {
    expect(await user(['add', 'null', '--password-file', file(password)])).toMatchObject({ failed: null })
    expect(await user(['set', 'null', '--role', 'operator'])).toEqual(says('user null is changed\n'))
    expect(await stored('null')).toMatchObject({ role: { value: 'operator' } })
  })
})

test('user list shows a line each: the role, the servers by name, and the last login', async () => {
  expect(await user(['set', 'ada', '--server', 'pbs-a', 'pbs-b'])).toMatchObject({ failed: null })
  expect(await user(['set', 'null', '--no-active'])).toMatchObject({ failed: null })
  expect(await user(['list'])).toEqual(
    says(
      new RegExp(
        [
          '^NAME +ROLE +SERVERS +ACTIVE +LAST LOGIN',
          'ada +viewer +pbs-a, pbs-b +yes +\\d{4}-\\d\\d-\\d\\dT\\S+Z',
          'admin +admin +all +yes +never',
          'lin\\+1@example +viewer +all +yes +\\d{4}-\\S+Z',
          'null +operator +all +no +never\n$',
        ].join('\n'),
      ),
    ),
  )
})

test('what a user may not do is refused in the words of the system', async () => {
  const { json } = await request(system, 'POST', '/api/users/tokens/', { user: (await stored('ada'))?.id })
  const { key, token } = json as { key: string; token: string } // border: a test reads what it asserts
  const asAda = `nbt_${key}.${token}`
  const refused = `CannotRun: ${system.url} refuses: You do not have permission to perform this action. Is it the right token?`
  expect(await user(['add', 'eve', '--password-file', file(password)], asAda)).toEqual(fails(refused))
  expect(await user(['set', 'ada', '--role', 'admin'], asAda)).toEqual(fails(refused))
  expect(await user(['set', 'admin', '--no-active'], asAda)).toEqual(
    fails('CannotRun: no user is named admin: "netbox-pbs user list" shows them'),
  )
  expect((await user(['list'], asAda)).out).toMatch(/^NAME .*\nada .*\n$/)
  expect((await user(['list'], 'nbt_000000000000.none')).failed).toMatch(/refuses: Invalid v2 token Is it the right/)
})

describe('user remove', () => {
  test('needs a yes, and takes the tokens with it', async () => {
    expect(await user(['remove', 'ada'])).toEqual(
      fails(
        "WrongUsage: Remove user ada? The user's tokens and sessions go too. There is no terminal to ask on: add --yes to confirm",
      ),
    )
    expect(await stored('ada')).toBeDefined()
    expect(await user(['remove', 'ada', '--yes'])).toEqual(says('user ada is removed\n'))
    expect([await stored('ada'), await signsIn('ada', another)]).toEqual([undefined, false])
    expect(await user(['remove', 'ada', '--yes'])).toEqual(
      fails('CannotRun: no user is named ada: "netbox-pbs user list" shows them'),
    )
  })

  test('leaves one active admin', async () => {
    expect(await user(['remove', 'admin', '--yes'])).toEqual(
      fails('CannotRun: This is not possible: this would leave no active admin: make another user an admin first.'),
    )
    expect(await stored('admin')).toBeDefined()
  })
})

test('each command explains itself', async () => {
  for (const name of ['add', 'set', 'list', 'remove']) {
    const { out, failed } = await user([name, '--help'])
    expect([failed, out]).toEqual([null, expect.stringMatching(new RegExp(`^Usage: netbox-pbs user ${name} `))])
  }
})

test('standard input can hold the password, and the process ends with the code of its outcome', async () => {
  const at = ['--url', system.url, '--token', system.token]
  const add = (name: string, input: string) =>
    netboxPbs(['user', 'add', name, ...at, '--password-file', '-'], { input })
  const added = await add('mia', `${password}\n`)
  const refused = await add('mia', `${password}\n`)
  everything.push(JSON.stringify([added, refused]))
  expect(added).toEqual({ code: 0, stdout: 'user mia is added as viewer\n', stderr: '' })
  expect(refused).toEqual({ code: 1, stdout: '', stderr: 'username: A user with this username already exists.\n' })
  expect(await signsIn('mia', password)).toBe(true)
})

test.each([
  ['is not shown while it is typed, twice', [password, password], 'user kim is added as viewer', true],
  ['that is typed in two ways is none', [password, another], 'the two passwords differ: nothing was done', false],
])('a password %s', async (_, typed, sentence, added) => {
  const name = added ? 'kim' : 'tom'
  const shown = await typedOnTerminal(['user', 'add', name, '--url', system.url, '--token', system.token], typed)
  expect(shown).toContain('Password (not shown): ')
  expect(shown).toContain('The same again (not shown): ')
  expect(shown).toContain(sentence)
  for (const secret of [password, another]) expect(shown).not.toContain(secret)
  expect(await stored(name)).toEqual(added ? expect.objectContaining({ role: expect.anything() }) : undefined)
})

/** Runs a command on a terminal, where each line is typed once it is asked for, and gives all that was shown. */
function typedOnTerminal(args: ReadonlyArray<string>, lines: ReadonlyArray<string>): Promise<string> {
  const [program, ...flags] = terminalCommand(args)
  const child = spawn(program, flags, { env: { PATH: process.env['PATH'] ?? '', SHELL: '/bin/sh' } })
  let shown = ''
  let asked = 0
  child.stdout.on('data', (chunk) => {
    shown += chunk
    for (; shown.split('(not shown): ').length - 1 > asked; asked += 1) child.stdin.write(`${lines[asked] ?? ''}\r`)
  })
  return new Promise((resolve) => child.once('close', () => resolve(shown)))
}

test('no password and no token was printed, logged or recorded', async () => {
  const { json } = await request(system, 'GET', '/api/plugins/pbs/changes/?limit=1000')
  const text = JSON.stringify([everything, json])
  expect(text).toContain('user mia')
  for (const secret of [password, another, 'scrypt$', system.token.slice(-40)]) expect(text).not.toContain(secret)
})
