/** Parameters that NetBox knows on every list and this project does not read yet. */
const unbuiltNames = new Set(['filter', 'filter_id', 'export'])

/**
 * Why a filter of NetBox is rejected; null: NetBox ignores the parameter too. Ignoring a filter
 * would return rows outside of it, which a client may then change or delete.
 */
export const unbuiltFilter = (parameter: string): string | null =>
  unbuiltNames.has(parameter)
    ? `The parameter ${parameter} is not offered yet: leave it out, and select among the rows of the response.`
    : null
