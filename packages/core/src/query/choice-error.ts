/** NetBox's sentence about a filter value that is none of those to choose from. */
export const notAChoice = (value: string): string =>
  `Select a valid choice. ${value} is not one of the available choices.`
