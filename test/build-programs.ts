import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'
import { parts } from '../bench/src/child.ts'
import { openDoor } from '../packages/testing/src/door.ts'
import { programNames, programs } from '../packages/testing/src/programs.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Builds the programs from the sources, as the published command is built but with all that they import. */
async function build(folder: string): Promise<void> {
  // Loaded on first use: most runs build nothing.
  const tsup = await import('tsup')
  const kept = ['@electric-sql/pglite', 'pg-native']
  await tsup.build({
    config: false,
    entry: Object.fromEntries([
      ...programNames.map((name) => [name, join(root, programs[name].main)]),
      ...parts.map((part) => [`bench/${part}`, join(root, `bench/src/${part}.ts`)]),
    ]),
    outDir: folder,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    splitting: true,
    silent: true,
    external: kept,
    noExternal: [new RegExp(`^(?!${kept.join('|')})`)],
    // Some bundled code is CommonJS.
    banner: { js: "import { createRequire as from } from 'node:module'; const require = from(import.meta.url);" },
    esbuildOptions: (options) => {
      options.conditions = ['source']
    },
  })
  cpSync(join(root, 'apps/api/src/pages/assets'), join(folder, 'assets'), { recursive: true })
}

/**
 * The programs that the tests of a run start: built when the first of them asks, again when tests are
 * run again because a source has changed, and removed in the end.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const builds = new Map<string, Promise<void>>()
  const door = await openDoor(async () => {
    // A program resolves files that are not bundled from here: the embedded database, and files of pages.
    const folder = mkdtempSync(join(root, 'apps/standalone/node_modules/.programs-'))
    const built = build(folder)
    builds.set(folder, built)
    await built
    return folder
  })
  project.onTestsRerun(door.discard)
  project.provide('programsAt', door.url)
  return async () => {
    door.close()
    for (const [folder, built] of builds) {
      await built.catch(() => undefined)
      rmSync(folder, { recursive: true, force: true })
    }
  }
}
