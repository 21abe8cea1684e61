import { diffCases } from './diff/diff-cases.ts'
import type { Case } from './measure.ts'

/** Every benchmark by the name that the command takes. */
export const benchmarks: Readonly<Record<string, (rows: number) => Iterable<Case>>> = { diff: diffCases }
