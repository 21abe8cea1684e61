import { Data } from 'effect'

/** A flag or an environment variable is wrong. `message` names it and says what to do; the process ends with code 2. */
export class WrongUsage extends Data.TaggedError('WrongUsage')<{ readonly message: string }> {}
