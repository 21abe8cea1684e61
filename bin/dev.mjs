// Runs the demo and starts it again whenever a source changes: node bin/dev.mjs [FLAGS OF START]. Ctrl-C ends it.
import { spawn } from 'node:child_process'
import { globSync, watch } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const args = [`${root}bin/run.mjs`, 'netbox-pbs', 'start', '--demo', ...process.argv.slice(2)]

/** Editors save several files at once. */
const settleMillis = 200

let child
let ending = false
let restarting = false

function start() {
  restarting = false
  // A process group of its own: else Ctrl-C would reach it twice, and a second signal ends it without clearing up.
  child = spawn(process.execPath, args, { stdio: 'inherit', detached: true })
  child.once('exit', (code) => {
    child = undefined
    if (ending) process.exit(code ?? 1)
    if (restarting) start()
    else process.stderr.write(`The demo has ended with code ${code}. It starts again when a source changes.\n`)
  })
}

/** Waits for the process to end before the next one starts: the data folder and the ports are free by then. */
function restart() {
  if (ending || restarting) return
  if (child === undefined) return start()
  restarting = true
  process.stderr.write('A source has changed. Starting again.\n')
  child.kill('SIGTERM')
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    ending = true
    if (child === undefined) process.exit(0)
    child.kill(signal)
  })
}

let timer
for (const folder of globSync('{apps,packages,tools}/*/src', { cwd: root })) {
  watch(`${root}${folder}`, { recursive: true }, () => {
    clearTimeout(timer)
    timer = setTimeout(restart, settleMillis)
  })
}
start()
