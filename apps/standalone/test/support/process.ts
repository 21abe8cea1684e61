import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { builtPrograms, compiledOnce, type ProgramArguments, type ProgramName } from '@netbox-pbs/testing'
import { expect } from 'vitest'

const root = fileURLToPath(new URL('../../../..', import.meta.url))

/** From the sources, as the scripts of the root's package.json run them. */
export const fromSources: ProgramArguments = (name) => ['bin/run.mjs', name]

/** Tests start programs that were built once for all of them; other callers are not in a vitest run. */
const inTests = process.env['VITEST'] !== undefined
const usual: ProgramArguments = inTests ? await builtPrograms() : fromSources
const usualEnv = inTests ? await compiledOnce() : {}

/** How to start a process. */
export interface ProcessOptions {
  readonly env?: Readonly<Record<string, string>>
  /** Its standard input; empty by default. */
  readonly input?: string
  /** Built ones unless told. */
  readonly from?: ProgramArguments
}

/** Standard error that holds lines of the log and nothing else. */
export const onlyLog: string = expect.stringMatching(/^(?:time=\S+ level=(?:info|warn) .*\n)*$/)

/** How a process ended. */
export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A process of the system, without the environment of the tests. */
export class SystemProcess {
  private stdout = ''
  private stderr = ''
  private readonly ended: Promise<Outcome>
  private readonly lines: AsyncIterator<string>

  private constructor(private readonly child: ChildProcessWithoutNullStreams) {
    this.lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    child.stdout.on('data', (chunk) => {
      this.stdout += chunk
    })
    child.stderr.on('data', (chunk) => {
      this.stderr += chunk
    })
    this.ended = once(child, 'close').then(([code]) => ({ code, stdout: this.stdout, stderr: this.stderr }))
  }

  static start(program: ProgramName, args: ReadonlyArray<string>, options: ProcessOptions = {}) {
    const { env, input, from = usual } = options
    const child = spawn(process.execPath, [...from(program), ...args], {
      cwd: root,
      env: { PATH: process.env['PATH'] ?? '', ...usualEnv, ...env },
    })
    child.stdin.on('error', () => undefined) // it may end before it has read
    child.stdin.end(input ?? '')
    return new SystemProcess(child)
  }

  get pid(): number {
    return this.child.pid ?? 0
  }

  /**
   * The first further line of standard output that matches; fails with the output so far if the
   * process ends before.
   */
  async line(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const { done, value } = await this.lines.next()
      const found = done ? null : pattern.exec(value)
      if (found !== null) return found
      if (done) throw new Error(`no line like ${pattern}: ${JSON.stringify(await this.ended)}`)
    }
  }

  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null
  }

  outcome(): Promise<Outcome> {
    return this.ended
  }

  /** Signals the process and waits for its end; says how long that took. */
  async stop(
    signal: 'SIGTERM' | 'SIGINT' | 'SIGHUP' | 'SIGKILL' = 'SIGTERM',
  ): Promise<Outcome & { readonly millis: number }> {
    const before = performance.now()
    this.child.kill(signal)
    const outcome = await this.ended
    return { ...outcome, millis: performance.now() - before }
  }

  /** Ends what a failed test has left. */
  kill(): void {
    if (this.alive) this.child.kill('SIGKILL')
  }
}

/** Runs the command until it ends. */
export const netboxPbs = (args: ReadonlyArray<string>, options: ProcessOptions = {}): Promise<Outcome> =>
  SystemProcess.start('netbox-pbs', args, options).outcome()

/**
 * Runs the command on a terminal until it ends; a person types `answer` there. The terminal shows
 * what was typed, and all output is one.
 */
export function netboxPbsOnTerminal(args: ReadonlyArray<string>, answer: string) {
  const [program, ...flags] = terminalCommand(args)
  const child = spawn(program, flags, {
    cwd: root,
    env: { PATH: process.env['PATH'] ?? '', SHELL: '/bin/sh' },
  })
  let shown = ''
  child.stdin.end(answer)
  child.stdout.on('data', (chunk) => {
    shown += chunk
  })
  return once(child, 'close').then(([code]) => ({ code: code as number | null, shown })) // border: Node's own event
}

/** What runs the command on a terminal of its own, and ends with its exit code. */
export function terminalCommand(args: ReadonlyArray<string>): readonly [string, ...ReadonlyArray<string>] {
  const quoted = [process.execPath, ...usual('netbox-pbs'), ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`)
  // Of util-linux.
  return ['script', '--quiet', '--return', '--command', `exec ${quoted.join(' ')}`, '/dev/null']
}
