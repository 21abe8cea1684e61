import { last } from './page-request.ts'

/** Which fields of a row are shown. `fields` wins over `omit`, `omit` over `brief`; null: not asked for. */
export interface Presentation {
  readonly brief: boolean
  readonly fields: ReadonlyArray<string> | null
  readonly omit: ReadonlyArray<string> | null
}

/** Reads `brief`, `fields` and `omit`. Any text turns brief on, `0` and `false` included. */
export function parsePresentation(params: URLSearchParams): Presentation {
  return {
    brief: Boolean(last(params, 'brief')),
    fields: names(last(params, 'fields')),
    omit: names(last(params, 'omit')),
  }
}

function names(text: string | undefined): ReadonlyArray<string> | null {
  return text ? text.split(',').map((name) => name.trim()) : null
}
