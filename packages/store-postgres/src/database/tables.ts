/**
 * The tables that statements built with kysely name; set-based SQL text needs no declaration. The
 * folder that owns a table extends it by declaration merging: `declare module
 * '../database/tables.ts' { interface Tables { … } }`.
 */
// biome-ignore lint/suspicious/noEmptyInterface: grows by declaration merging
export interface Tables {}
