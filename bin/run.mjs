// Runs a program of this repository from its sources: node bin/run.mjs PROGRAM [--inspect] [ARGUMENTS].
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The programs; `nodeFlags` keep the memory of a service small, which bench/README.md measures. */
const programs = JSON.parse(readFileSync(new URL('./programs.json', import.meta.url), 'utf8'))

const [name = '', ...rest] = process.argv.slice(2)
const program = Object.hasOwn(programs, name) ? programs[name] : undefined
if (program === undefined) {
  process.stderr.write(`There is no program "${name}"; choose one of ${Object.keys(programs).join(', ')}.\n`)
  process.exit(2)
}

// --inspect and --inspect-brk=PORT are for Node, in any position.
const isInspect = (argument) => /^--inspect(-brk|-wait)?(=|$)/.test(argument)
const args = [
  ...program.nodeFlags,
  ...rest.filter(isInspect),
  '--conditions=source',
  '--import',
  import.meta.resolve('tsx'),
  fileURLToPath(new URL(`../${program.main}`, import.meta.url)),
  ...rest.filter((argument) => !isInspect(argument)),
]

// The program takes over this process, so that signals reach it and its exit code is the command's.
if (typeof process.execve === 'function' && process.platform !== 'win32') {
  process.execve(process.execPath, [process.execPath, ...args], process.env)
} else {
  const child = spawn(process.execPath, args, { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code) => process.exit(code ?? 1))
}
