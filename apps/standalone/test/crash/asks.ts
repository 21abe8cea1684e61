/** A database that answers the harness, on either engine. */
export interface Asks {
  readonly sql: <Row extends object>(text: string, values?: ReadonlyArray<unknown>) => Promise<ReadonlyArray<Row>>
}
