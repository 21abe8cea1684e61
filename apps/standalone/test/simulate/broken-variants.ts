import type { Scene } from './simulation.ts'

/** Systems that break a promise on purpose, so that a run shows that the judge notices. */
export const brokenVariants: Readonly<Record<string, (scene: Scene) => void>> = {
  /** A gateway that takes a list that failed for an empty one. */
  'failed-is-empty': ({ system }) => {
    system.forge = (text) =>
      text
        .split('\n')
        .map((line) => {
          if (!line.startsWith('{"frame":"failed"')) return line
          const { error: _, retryable: __, server_answers: ___, ...scope } = JSON.parse(line) as Record<string, unknown>
          return JSON.stringify({ ...scope, frame: 'complete', count: 0, visibility: null })
        })
        .join('\n')
  },
  /** A database that keeps what an interrupted transaction had written. */
  'crash-commits': ({ database }) => {
    database.endOfKilled = 'commit'
  },
}
