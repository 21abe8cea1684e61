import { randomInt } from 'node:crypto'

const letters = 'abcdefghijklmnopqrstuvwxyz0123456789'

/** 8 random characters: a collision is very unlikely, and the second branch is refused. */
export const newSchemaId = (): string => Array.from({ length: 8 }, () => letters[randomInt(letters.length)]).join('')
