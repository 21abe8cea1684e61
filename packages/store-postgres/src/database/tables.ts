/**
 * The tables that statements built with kysely name. Most statements of the inventory are set-based
 * SQL text, so only what is read or written row by row is declared. Extend by declaration merging
 * from the folder that owns the table: `declare module '../database/tables.ts' { interface Tables {
 * … } }`.
 */
// biome-ignore lint/suspicious/noEmptyInterface: grows by declaration merging
export interface Tables {}
