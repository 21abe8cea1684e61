import type { Command } from 'commander'
import { Effect, Exit } from 'effect'
import { describe, expect, test, vi } from 'vitest'
import { allowedHostFlag, basePathFlag, filled, newCommand, port, readFlags, trustedProxyFlag } from './command-line.ts'

const hello = () =>
  newCommand('hello', 'greets')
    .option('--host <address>', 'where', filled, '127.0.0.1')
    .option('--port <port>', 'where', port, 80)
    .addOption(allowedHostFlag())

const readAs = (command: Command, args: ReadonlyArray<string>) =>
  Effect.runSync(Effect.either(readFlags(command, args)))

const read = (...args: ReadonlyArray<string>) => readAs(hello(), args)

const complaint = (...args: ReadonlyArray<string>): string => messageOf(read(...args))

const messageOf = (result: ReturnType<typeof readAs>): string =>
  result._tag === 'Left' ? result.left.message : 'no complaint'

describe('flags', () => {
  test('take their defaults', () => {
    expect(read()).toMatchObject({ _tag: 'Right', right: { host: '127.0.0.1', port: 80 } })
  })

  test('are read in both spellings', () => {
    expect(read('--host=::1', '--port', '0')).toMatchObject({ right: { host: '::1', port: 0 } })
  })

  test('can be repeated', () => {
    expect(read('--allowed-host', 'a.lan', '--allowed-host', '.example.com')).toMatchObject({
      right: { allowedHost: ['a.lan', '.example.com'] },
    })
  })

  test.each([
    [['--prot', '1'], /^unknown option '--prot' \(Did you mean --port\?\); see "hello --help"$/],
    [['--port'], /^option '--port <port>' argument missing; see "hello --help"$/],
    [['here'], /^too many arguments. Expected 0 arguments but got 1: here; see "hello --help"$/],
    [
      ['--port', '65536'],
      /^option '--port <port>' argument '65536' is invalid. It must be a whole number from 0 to 65535; /,
    ],
    [['--port', '-1'], /^option '--port <port>' argument '-1' is invalid. /],
    [['--port', '1e3'], /^option '--port <port>' argument '1e3' is invalid. /],
    [['--host', ' '], /^option '--host <address>' argument ' ' is invalid. It must not be empty; /],
    [['--allowed-host', 'http://x'], /'http:\/\/x' is invalid. It must be a name without scheme, port or path; /],
  ])('%j is refused with its name', (args, message) => {
    expect(complaint(...args)).toMatch(message)
  })
})

describe('flags of what lies in front', () => {
  const readProxy = (...args: ReadonlyArray<string>) =>
    readAs(newCommand('hello', 'greets').addOption(trustedProxyFlag()).addOption(basePathFlag()), args)

  test('name proxies and networks of them', () => {
    expect(readProxy('--trusted-proxy', '10.0.0.0/8', '--trusted-proxy', '2001:db8::1')).toMatchObject({
      right: { trustedProxy: ['10.0.0.0/8', '2001:db8::1'], basePath: '' },
    })
  })

  test.each(['proxy.lan', '10.0.0.0/33', '10.0.0.0/', '10.0.0/8', '::1/129', '10.0.0.0/8/8'])(
    '%s is no proxy',
    (text) => {
      const message = messageOf(readProxy('--trusted-proxy', text))
      expect(message).toMatch(/ It must be an IP address or a network such as 10.0.0.0\/8; /)
    },
  )

  test.each([
    ['netbox', '/netbox'],
    ['/a/b/', '/a/b'],
    ['/', ''],
    ['', ''],
  ])('a base path %j is %j', (given, path) => {
    expect(readProxy('--base-path', given)).toMatchObject({ right: { basePath: path } })
  })

  test('a base path is a plain path', () => {
    expect(messageOf(readProxy('--base-path', '/a b'))).toMatch(
      /'\/a b' is invalid. It must be a path such as \/netbox; /,
    )
  })
})

test('help is printed, and nothing is left to do', () => {
  const printed: Array<string> = []
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0)
  const exits = ['--help', '-h'].map((flag) => Effect.runSyncExit(readFlags(hello(), [flag])))
  write.mockRestore()
  expect(exits.map(Exit.isInterrupted)).toEqual([true, true])
  expect(printed).toHaveLength(2)
  expect(printed[1]).toBe(printed[0])
  expect(printed[0]).toBe(`Usage: hello [options]

greets

Options:
  --host <address>       where (default: "127.0.0.1")
  --port <port>          where (default: 80)
  --allowed-host <name>  another name that clients may use; can be repeated
  -h, --help             show this text
`)
})
