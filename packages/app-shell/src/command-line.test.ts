import { Effect, Exit } from 'effect'
import { describe, expect, test, vi } from 'vitest'
import { allowedHostFlag, filled, newCommand, port, readFlags } from './command-line.ts'

const hello = () =>
  newCommand('hello', 'greets')
    .option('--host <address>', 'where', filled, '127.0.0.1')
    .option('--port <port>', 'where', port, 80)
    .addOption(allowedHostFlag())

const read = (...args: ReadonlyArray<string>) => Effect.runSync(Effect.either(readFlags(hello(), args)))

const complaint = (...args: ReadonlyArray<string>): string => {
  const result = read(...args)
  return result._tag === 'Left' ? result.left.message : 'no complaint'
}

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
