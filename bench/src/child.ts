import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** The parts of the benchmark that have a process of their own. */
export const parts = [
  'ingest/gateway',
  'ingest/reader',
  'ingest/worker',
  'gateway/simulator',
  'gateway/gateway',
  'gateway/direct',
] as const
export type Part = (typeof parts)[number]

/** The folder of the parts when a test has had them built: `<part>.js` each. Null: run from the sources. */
let builtIn: string | null = null

/** Runs the parts from a folder of built ones, in this process from now on. */
export function runPartsFrom(folder: string): void {
  builtIn = folder
}

/** The most memory that a part has held so far, and the time it has spent on a processor. */
export interface Usage {
  readonly peakRssMb: number
  readonly cpuSeconds: number
}

/**
 * Starts a part and gives its first answer. Tasks go by message, so that no address with
 * credentials is seen in a list of processes.
 */
export async function startPart<Task extends object, Answer>(
  part: Part,
  task: Task,
  nodeFlags: ReadonlyArray<string> = [],
): Promise<{
  readonly answer: Answer
  readonly usage: () => Promise<Usage>
  readonly stop: () => Promise<void>
}> {
  const source = fileURLToPath(new URL(`./${part}.ts`, import.meta.url))
  const child = fork(builtIn === null ? source : join(builtIn, `${part}.js`), {
    cwd: root,
    execArgv: [
      ...asStarted(part),
      ...(builtIn === null ? ['--conditions=source', '--import', 'tsx'] : []),
      ...nodeFlags,
    ],
    serialization: 'advanced',
  })
  child.send(task)
  const ended = once(child, 'exit')
  const answer = await Promise.race([
    firstMessage<Answer>(child),
    ended.then(([code]) => Promise.reject(died(part, code))),
  ])
  return {
    answer,
    usage: () => {
      child.send('usage')
      return firstMessage<Usage>(child)
    },
    stop: async () => {
      if (child.connected) child.disconnect()
      const [code] = await ended
      if (code !== 0) throw died(part, code)
    },
  }
}

/** Runs a part that answers once, to the end of its process. */
export async function runPart<Task extends object, Answer>(
  part: Part,
  task: Task,
  nodeFlags?: ReadonlyArray<string>,
): Promise<Answer> {
  const { answer, stop } = await startPart<Task, Answer>(part, task, nodeFlags)
  await stop()
  return answer
}

/**
 * The other side: does the task this process was started for, answers, and ends the process when
 * the benchmark disconnects.
 */
export async function asPart<Task, Answer>(work: (task: Task) => Promise<Answer>): Promise<void> {
  const [task] = await once(process, 'message')
  const answer = await work(task)
  process.on('message', () => process.send?.(usage()))
  process.send?.(answer)
}

function usage(): Usage {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage()
  return { peakRssMb: maxRSS / 1024, cpuSeconds: (userCPUTime + systemCPUTime) / 1e6 }
}

/** Starts to count the processor time of this process; the returned function gives its seconds. */
export function cpuSince(): () => number {
  const begun = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(begun)
    return (user + system) / 1e6
  }
}

/** The flags of Node with which `bin/run.mjs` starts the product's gateway, or its worker. */
function asStarted(part: Part): ReadonlyArray<string> {
  const { gateway, worker } = JSON.parse(readFileSync(`${root}bin/programs.json`, 'utf8'))
  return part === 'gateway/gateway' ? gateway.nodeFlags : worker.nodeFlags
}

async function firstMessage<Answer>(child: ChildProcess): Promise<Answer> {
  const [answer] = await once(child, 'message') // border: both sides name the part's types
  return answer
}

const died = (part: Part, code: unknown): Error => new Error(`the ${part} ended with ${String(code)}`)
