/** A row of a list that cannot be understood; it stands in the place of that row, and the other rows are as they are. */
export class UnreadableRow {
  /**
   * @param row - Its place in the list, from 1.
   * @param field - The path of the field that is missing or odd; empty when the row is no object.
   * @param reason - What is wrong with it; never a value.
   * @param value - The row as it came.
   */
  constructor(
    readonly row: number,
    readonly field: string,
    readonly reason: string,
    readonly value: unknown,
  ) {}
}

/** A row of a list, or what stands in its place. */
export type ListRow<T> = T | UnreadableRow

/** Whether a row was understood; a filter of lists and streams. */
export const isReadable = <T>(row: ListRow<T>): row is T => !(row instanceof UnreadableRow)
