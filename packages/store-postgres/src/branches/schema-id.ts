import { randomInt } from 'node:crypto'

const letters = 'abcdefghijklmnopqrstuvwxyz0123456789'

/** 8 characters by chance: two alike are one in millions of millions, and the second is refused. */
export const newSchemaId = (): string => Array.from({ length: 8 }, () => letters[randomInt(letters.length)]).join('')
