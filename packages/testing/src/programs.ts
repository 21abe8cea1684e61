import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inject } from 'vitest'
import { askAt } from './door.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where a test file asks for the folder of the built programs. */
    readonly programsAt: string
  }
}

/** The programs that tests start, of those of `bin/run.mjs`. */
export const programNames = ['netbox-pbs', 'gateway', 'worker', 'api', 'simulator', 'simulate'] as const
export type ProgramName = (typeof programNames)[number]

/** The arguments for Node that run a program. */
export type ProgramArguments = (name: ProgramName) => ReadonlyArray<string>

/** How `bin/run.mjs` runs them. */
export const programs: Readonly<
  Record<ProgramName, { readonly main: string; readonly nodeFlags: ReadonlyArray<string> }>
> = JSON.parse(readFileSync(new URL('../../../bin/programs.json', import.meta.url), 'utf8'))

/**
 * The folder into which `test/build-programs.ts` builds the programs, `<program>.js` each, and the
 * parts of the benchmark, `bench/<part>.js`, for the first test of a run that asks: a process that
 * loads a thousand sources takes six times as long to start.
 */
export const builtFolder = (): Promise<string> => askAt(inject('programsAt'), 'programs')

/**
 * Processes of the command live for seconds: V8's optimizing compiler of WebAssembly takes a third of the processor time of
 * one that opens the embedded database, and nothing runs long enough to earn it back.
 */
const flagsOf = (name: ProgramName): ReadonlyArray<string> =>
  name === 'netbox-pbs' ? [...programs[name].nodeFlags, '--liftoff-only'] : programs[name].nodeFlags

/** Runs the built programs. */
export async function builtPrograms(): Promise<ProgramArguments> {
  const folder = await builtFolder()
  return (name) => [...flagsOf(name), join(folder, `${name}.js`)]
}

/** The environment in which a process loads code that an earlier one has compiled. */
export const compiledOnce = async (): Promise<Readonly<Record<string, string>>> => ({
  NODE_COMPILE_CACHE: join(await builtFolder(), 'compiled'),
})
