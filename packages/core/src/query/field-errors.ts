/** What is wrong with each parameter or field, by its name, in NetBox's words. */
export type FieldErrors = Readonly<Record<string, ReadonlyArray<string>>>
