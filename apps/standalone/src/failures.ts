import { Data } from 'effect'

/** The command was called wrongly. Ends with exit code 2; the message names the flag or variable and the fix. */
export class WrongUsage extends Data.TaggedError('WrongUsage')<{ readonly message: string }> {}

/** Something outside prevents the command. Ends with exit code 1; the message is one sentence with the next step. */
export class CannotRun extends Data.TaggedError('CannotRun')<{ readonly message: string; readonly cause?: unknown }> {}
