import type { Unknown } from '@netbox-pbs/proxbox-client/contract'

/** By field of a PBS row, the columns that it says. */
export type ColumnsOfFields = Readonly<Record<string, ReadonlyArray<string>>>

/** What a row's odd fields leave unknown. `oddFields` are paths: `verification.upid` is a field of `verification`. */
export const unknownColumns = (
  oddFields: ReadonlyArray<string> | undefined,
  columns: ColumnsOfFields,
): ReadonlyArray<string> => (oddFields ?? []).flatMap((path) => columns[path.split('.', 1)[0] ?? ''] ?? [])

/** The `unknown` of a frame, each column once; nothing where all is known. */
export const withUnknown = (columns: ReadonlyArray<string>): Unknown =>
  columns.length === 0 ? {} : { unknown: [...new Set(columns)] }
